import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type CallContext, serve } from '../../src/index.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** A server of ours with a bit of everything, until the test is over. Returns the path of its socket. */
export async function startCliServer(): Promise<string> {
  const path = join(await temporaryDirectory(), 's')
  const server = await serve(
    {
      echo: (params: unknown) => params,
      nothing: () => undefined,
      big: (size: number) => 'x'.repeat(size),
      never: () => new Promise(() => undefined),
      poor: (_: unknown, ctx: CallContext) => {
        throw ctx.fail('insufficient_funds', { missing: 12 }, 'not enough')
      },
      broken: () => {
        throw new Error('a secret')
      },
    },
    { at: `unix:${path}`, onError: () => undefined, limits: { drainMs: 0 } },
  )
  onTestFinished(() => server.close())
  return path
}
