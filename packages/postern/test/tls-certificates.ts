import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ClientTls, ServerTls } from '../src/transports/tls.ts'

function pathOf(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url))
}

function pem(name: string): string {
  return readFileSync(pathOf(name), 'utf8')
}

/** A server at this machine, as its certificate says. */
export const serverTls: ServerTls = { key: pem('localhost-key'), cert: pem('localhost') }

/** A server of the same authority, somewhere else. */
export const elsewhereTls: ServerTls = { key: pem('elsewhere-key'), cert: pem('elsewhere') }

/** A server that has signed for itself. */
export const aloneTls: ServerTls = { key: pem('alone-key'), cert: pem('alone') }

/** The certificate of who has signed for these servers but the last. */
export const authorityFile: string = pathOf('authority')

/** A client that believes the authority of these servers. */
export const clientTls: ClientTls = { ca: pem('authority') }

/** A client that believes somebody else. */
export const strangerTls: ClientTls = { ca: pem('stranger') }
