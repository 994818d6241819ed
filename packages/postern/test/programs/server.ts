/** A server to be killed: serves at the address of its first argument and says when it is ready. */
import { serve } from '../../src/index.ts'

const [address = ''] = process.argv.slice(2)
await serve(
  {
    echo: (params: unknown) => params,
    never: () => new Promise(() => undefined),
    large: (bytes: number) => 'x'.repeat(bytes),
    callBack: (_params: unknown, ctx) => ctx.client.call('never'),
  },
  { at: address },
)
process.stdout.write('ready\n')
