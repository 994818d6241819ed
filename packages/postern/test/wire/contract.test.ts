import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import type { PlaceOptions, Server } from '../../src/app/serve.ts'
import { serve } from '../../src/app/serve.ts'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'
import { rawClient } from '../raw-peer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { playTranscript } from './transcript.ts'

const node = contract('node', {
  transfer: method({
    params: z.object({ amount: z.int() }),
    returns: z.string(),
    errors: { insufficient_funds: z.object({ missing: z.int() }), frozen: null },
    summary: 'Moves money',
  }),
  emit: method(),
  never: method(),
  ask: method({ params: z.string() }),
  shutdown: method({ access: 'admin' }),
  count: stream({ params: z.object({ to: z.int().min(0) }), yields: z.int(), summary: 'Counts from 0' }),
  endless: stream({ yields: z.int() }),
  refuses: stream(),
  throws: stream(),
  logs: stream({ access: 'admin' }),
  joined: event({ payload: z.string(), summary: 'Somebody is here' }),
  alarm: event({ access: 'admin' }),
})
const screen = contract('screen', { ask: method({ params: z.string(), returns: z.string() }) })

const token = 'a-token-of-43-characters-as-it-is-in-a-file'

function served(at: PlaceOptions): Promise<Server<typeof node.members>> {
  const server: Promise<Server<typeof node.members>> = serve(
    node,
    {
      transfer: ({ amount }, { fail }) => {
        if (amount < 0) throw fail('frozen', undefined, 'the account is frozen')
        if (amount > 100) throw fail('insufficient_funds', { missing: amount - 100 })
        return `moved ${amount}`
      },
      emit: async (payload) => (await server).emit.joined(payload as string),
      never: () => new Promise(() => undefined),
      ask: (question, { client }) => client.api.ask(question),
      shutdown: () => 'as you wish',
      async *count({ to }) {
        for (let n = 0; n < to; n++) yield n
      },
      async *endless() {
        for (let n = 0; ; n++) yield n
      },
      async *refuses(_params, { fail }) {
        yield 'one'
        throw fail('pruned', { before: 5 }, 'too long ago')
      },
      async *throws() {
        yield 'one'
        throw new Error('a secret of the server')
      },
      logs: () => ['a line'],
    },
    { at, client: screen, limits: { drainMs: 500 }, onError: () => undefined },
  )
  return server
}

/** Which address the transcripts of a folder are played at. */
const folders: Readonly<Record<string, (directory: string) => Promise<Omit<PlaceOptions, 'address'>>>> = {
  contract: async () => ({}),
  'contract-admin': async () => ({ access: ['admin'] }),
  'contract-token': async (directory) => {
    const file = `${directory}/token`
    await writeFile(file, token, { mode: 0o600 })
    return { token: { file } }
  },
}

for (const [folder, options] of Object.entries(folders)) {
  describe(`${folder} on the wire`, () => {
    const transcripts = new URL(`./${folder}/`, import.meta.url)
    for (const name of readdirSync(transcripts)) {
      it(`goes as written in ${name}`, async () => {
        const directory = await temporaryDirectory()
        const path = `${directory}/s`
        const server = await served({ address: `unix:${path}`, ...(await options(directory)) })
        onTestFinished(() => server.close())
        const text = readFileSync(new URL(name, transcripts), 'utf8')
        const peer = await rawClient(path)
        expect(await playTranscript(text, peer)).toBeGreaterThan(0)
        peer.socket.end()
        await server.close()
      })
    }
  })
}
