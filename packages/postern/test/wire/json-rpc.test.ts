import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve } from '../../src/app/serve.ts'
import { rawClient } from '../raw-peer.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { playTranscript } from './transcript.ts'

const transcripts = new URL('./json-rpc/', import.meta.url)

const handlers = {
  echo: (params: unknown) => params ?? null,
  sum: (params: readonly number[]) => params.reduce((a, b) => a + b, 0),
  nothing: () => undefined,
  throws: () => {
    throw new Error('a secret of the server')
  },
  fails: (_params: unknown, ctx: { fail: (code: string | number, details?: unknown, message?: string) => Error }) => {
    throw ctx.fail('too_late', { by: 3 })
  },
  reverts: (_params: unknown, ctx: { fail: (code: string | number, details?: unknown, message?: string) => Error }) => {
    throw ctx.fail(3, '0x08c379a0', 'execution reverted')
  },
}

describe('JSON-RPC on the wire', () => {
  for (const name of readdirSync(transcripts)) {
    it(`goes as written in ${name}`, async () => {
      const errors: string[] = []
      const path = `${await temporaryDirectory()}/s`
      const limits = {
        maxBatchCalls: 4,
        maxBatchAnswerBytes: 300,
        maxMethodBytes: 20,
        maxIdBytes: 20,
        maxCallBytes: 2_000,
        drainMs: 500,
      }
      const server = await serve(handlers, {
        at: `unix:${path}`,
        limits,
        onError: (error) => errors.push(String(error)),
      })
      onTestFinished(() => server.close())
      const text = readFileSync(new URL(name, transcripts), 'utf8')
      const peer = await rawClient(path)
      expect(await playTranscript(text, peer)).toBeGreaterThan(0)
      peer.socket.end()
      await server.close()
    })
  }
})
