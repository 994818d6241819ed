import { describe, expect, test } from 'vitest'
import { parseAddress } from '../core/address.ts'
import { resolveLimits } from '../core/limits.ts'
import { chooseConversation, clientConversation, serverConversation } from './conversation.ts'

const choose = (query: string) => chooseConversation(parseAddress(`unix:/s${query}`).parameters, `unix:/s${query}`)

const choices: readonly (readonly [query: string, client: string, server: string, protocol: string])[] = [
  ['', 'newline', 'json-stream', 'json-rpc'],
  ['?codec=json', 'newline', 'json-stream', 'json-rpc'],
  ['?framing=newline', 'newline', 'json-stream', 'json-rpc'],
  ['?framing=content-length', 'content-length', 'content-length', 'json-rpc'],
  ['?framing=length-prefix', 'length-prefix', 'length-prefix', 'json-rpc'],
  ['?codec=msgpack', 'msgpack-stream', 'msgpack-stream', 'msgpack-rpc'],
  ['?codec=msgpack&framing=length-prefix', 'length-prefix', 'length-prefix', 'msgpack-rpc'],
  ['?codec=cbor', 'length-prefix', 'length-prefix', 'cbor-rpc'],
  ['?codec=cbor&framing=length-prefix', 'length-prefix', 'length-prefix', 'cbor-rpc'],
]

describe('an address', () => {
  test.each(choices)('%s chooses what both sides speak', async (query, client, server, protocol) => {
    const choice = choose(query)
    const chosen = await clientConversation(choice)
    const answered = await serverConversation(choice, resolveLimits())
    expect([chosen.framing.name, chosen.protocol.name]).toEqual([client, protocol])
    expect([answered.framing.name, answered.protocol.name]).toEqual([server, protocol])
    const cancels = query.includes('content-length') ? '$/cancelRequest' : undefined
    expect([chosen.cancelMethod, answered.cancelMethod]).toEqual([cancels, cancels])
  })

  test.each([
    [
      '?codec=msgpack&framing=newline',
      'framing=newline is for text; with codec=msgpack use framing=length-prefix, or none',
    ],
    ['?codec=msgpack&framing=content-length', 'with codec=msgpack use framing=length-prefix, or none'],
    ['?codec=cbor&framing=newline', 'with codec=cbor use framing=length-prefix, which is its default'],
    ['?codec=cbor&framing=content-length', 'framing=content-length is for text'],
  ])('%s does not go together, and says what does', (query, says) => {
    expect(() => choose(query)).toThrow(says)
    expect(() => choose(query)).toThrow('[bad_address]')
  })
})
