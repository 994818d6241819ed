/**
 * Addresses: a URL that says where a service is and how it is spoken to.
 *
 * ```
 * local:name                 unix:/path        pipe:name       stdio:      spawn:program
 * systemd:                   systemd:name
 * fifo:/path                 shm:/path         mmap:/path      mq:/name    drop:/dir
 * tcp://127.0.0.1:port       memory:name       python:/path    zmq:/path
 * http+unix:/path            http://host:port  https://...     ws+unix:/path  ws://...  wss://...
 * grpc:/path                 capnp:/path       nats://host/subject
 * ```
 *
 * Parsing is pure: `~`, relative paths and the length of a path are the business of `os/`.
 */

import { PosternError } from './errors.ts'

/** What stands behind the scheme. */
type TargetKind = 'name' | 'unit name' | 'path' | 'none' | 'program' | 'host' | 'url'

interface SchemeRules {
  readonly target: TargetKind
  readonly parameters: readonly ParameterName[]
}

const conversation = ['codec', 'framing'] as const

/** The first word of an address. */
export type Scheme =
  | 'local'
  | 'unix'
  | 'pipe'
  | 'systemd'
  | 'stdio'
  | 'spawn'
  | 'fifo'
  | 'shm'
  | 'mmap'
  | 'mq'
  | 'drop'
  | 'tcp'
  | 'memory'
  | 'python'
  | 'zmq'
  | 'http+unix'
  | 'http'
  | 'https'
  | 'ws+unix'
  | 'ws'
  | 'wss'
  | 'grpc'
  | 'capnp'
  | 'nats'

/** Every scheme there is. What of it is built is known to `app/mechanisms.ts`. */
const schemes: Readonly<Record<Scheme, SchemeRules>> = {
  local: { target: 'name', parameters: conversation },
  unix: { target: 'path', parameters: conversation },
  pipe: { target: 'name', parameters: conversation },
  systemd: { target: 'unit name', parameters: conversation },
  stdio: { target: 'none', parameters: conversation },
  spawn: { target: 'program', parameters: conversation },
  fifo: { target: 'path', parameters: conversation },
  shm: { target: 'path', parameters: [...conversation, 'spinUs'] },
  mmap: { target: 'path', parameters: [...conversation, 'spinUs'] },
  mq: { target: 'path', parameters: ['codec'] },
  drop: { target: 'path', parameters: ['codec'] },
  tcp: { target: 'host', parameters: conversation },
  memory: { target: 'name', parameters: ['codec'] },
  python: { target: 'path', parameters: ['codec'] },
  zmq: { target: 'path', parameters: ['codec'] },
  'http+unix': { target: 'path', parameters: [] },
  http: { target: 'url', parameters: [] },
  https: { target: 'url', parameters: [] },
  'ws+unix': { target: 'path', parameters: [] },
  ws: { target: 'url', parameters: [] },
  wss: { target: 'url', parameters: [] },
  grpc: { target: 'path', parameters: [] },
  capnp: { target: 'path', parameters: [] },
  nats: { target: 'url', parameters: ['codec'] },
}

/** Every scheme an address may have, built or not. */
export const schemeNames: readonly Scheme[] = Object.keys(schemes) as Scheme[]

/** The options that ride on an address as query parameters. */
export interface AddressParameters {
  readonly codec?: 'json' | 'msgpack' | 'cbor'
  readonly framing?: 'newline' | 'content-length' | 'length-prefix'
  /** How long to spin before sleeping, in microseconds. */
  readonly spinUs?: number
}

type ParameterName = keyof AddressParameters

/** The values of the parameters by which a conversation is chosen. */
export const conversationValues: Readonly<Record<'codec' | 'framing', readonly string[]>> = {
  codec: ['json', 'msgpack', 'cbor'],
  framing: ['newline', 'content-length', 'length-prefix'],
}

const parameterValues: Record<ParameterName, readonly string[] | 'whole number'> = {
  ...conversationValues,
  spinUs: 'whole number',
}

/** A parsed address. */
export interface Address {
  readonly scheme: Scheme
  /** The path, name, program or URL behind the scheme, without its parameters. */
  readonly target: string
  readonly parameters: AddressParameters
  /** As it was written, for messages. */
  readonly text: string
}

/**
 * Reads an address.
 *
 * Throws `bad_address` for an unknown scheme, parameter or value, naming what is allowed.
 *
 * @example
 * ```ts
 * parseAddress('unix:/run/node.sock?codec=json').target // '/run/node.sock'
 * ```
 */
export function parseAddress(text: string): Address {
  const colon = text.indexOf(':')
  const scheme = text.slice(0, colon)
  if (colon < 1 || !isScheme(scheme)) throw unknownScheme(text, colon < 1 ? '' : scheme)
  const rules = schemes[scheme]
  const isUrl = rules.target === 'url'
  const rest = isUrl ? text : text.slice(colon + 1)
  // The query of a URL that takes no parameters belongs to its server.
  const question = isUrl && rules.parameters.length === 0 ? -1 : rest.indexOf('?')
  const target = question < 0 ? rest : rest.slice(0, question)
  checkTarget(rules.target, target, text)
  const parameters = question < 0 ? {} : parseParameters(rest.slice(question + 1), rules.parameters, text)
  return { scheme, target, parameters, text }
}

function isScheme(word: string): word is Scheme {
  return Object.hasOwn(schemes, word)
}

function unknownScheme(text: string, scheme: string): PosternError {
  const known = `schemes are ${schemeNames.join(', ')}`
  if (/^[./~]/.test(text)) return badAddress(text, `an address begins with a scheme, as in "unix:${text}"`)
  if (scheme !== '') return badAddress(text, `"${scheme}:" is not a scheme; ${known}`)
  return badAddress(text, `an address begins with a scheme, as in "local:${text || 'name'}"; ${known}`)
}

const namePattern = /^[a-z0-9._-]{1,64}$/
/** systemd names a socket after its unit, such as `app@1.socket`, unless the unit says otherwise. */
const unitNamePattern = /^[A-Za-z0-9@._-]{0,255}$/

function checkTarget(kind: TargetKind, target: string, text: string): void {
  switch (kind) {
    case 'name':
      if (!namePattern.test(target) || /^\.+$/.test(target)) {
        throw badAddress(text, 'a name is 1 to 64 of the characters a-z 0-9 . _ - and not only dots')
      }
      return
    case 'unit name':
      if (!unitNamePattern.test(target)) {
        throw badAddress(
          text,
          'behind "systemd:" stands nothing or a name of up to 255 of the characters A-Z a-z 0-9 @ . _ -',
        )
      }
      return
    case 'path':
    case 'program':
      if (target === '') throw badAddress(text, `nothing stands behind "${text}"; give a ${kind}`)
      return
    case 'none':
      if (target !== '') throw badAddress(text, 'nothing may stand behind "stdio:" but parameters')
      return
    case 'host':
      checkHostAndPort(target, text)
      return
    case 'url':
      checkUrl(target, text)
      return
  }
}

function checkHostAndPort(target: string, text: string): void {
  const match = /^\/\/(\[[0-9a-f:.]+\]|[^:/?#@\s]+):(\d{1,5})$/i.exec(target)
  const port = Number(match?.[2])
  if (!match || port > 65_535) throw badAddress(text, 'give host and port (0 to 65535), as in "tcp://127.0.0.1:7000"')
}

function checkUrl(target: string, text: string): void {
  if (!/^[a-z]+:\/\/[^/?#]/.test(target) || !URL.canParse(target)) {
    throw badAddress(text, 'give a whole URL, as in "http://127.0.0.1:8545"')
  }
}

function parseParameters(query: string, allowed: readonly ParameterName[], text: string): AddressParameters {
  const parameters: Record<string, string | number> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    const known = allowed.find((candidate) => candidate === name)
    if (known === undefined) {
      const list = allowed.length === 0 ? 'this scheme takes none' : `allowed are ${allowed.join(', ')}`
      throw badAddress(text, `unknown parameter "${name}"; ${list}`)
    }
    if (Object.hasOwn(parameters, name)) throw badAddress(text, `parameter "${name}" stands twice`)
    parameters[known] = parameterValue(known, value, text)
  }
  return parameters
}

function parameterValue(name: ParameterName, value: string, text: string): string | number {
  const allowed = parameterValues[name]
  if (allowed === 'whole number') {
    if (!/^\d{1,9}$/.test(value)) throw badAddress(text, `${name}=${value}: give a whole number`)
    return Number(value)
  }
  if (!allowed.includes(value)) throw badAddress(text, `${name}=${value}: allowed are ${allowed.join(', ')}`)
  return value
}

function badAddress(text: string, why: string): PosternError {
  return new PosternError('bad_address', `address ${JSON.stringify(text)}: ${why}`, { details: { address: text } })
}
