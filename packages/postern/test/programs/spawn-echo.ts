/** A service that is started to be talked to: serves `stdio:` and ends with its caller. Given a text, it prints that first. */
import { serve } from '../../src/index.ts'

const [first] = process.argv.slice(2)
if (first !== undefined) process.stdout.write(`${first}\n`)
await serve(
  {
    echo: (params: unknown) => params,
    print: (text: string) => {
      // oxlint-disable-next-line no-console -- this is what is tried here
      console.log(text)
      process.stdout.write(`${text} by hand\n`)
    },
    pid: () => process.pid,
    environment: (name: string) => process.env[name] ?? null,
    again: async () => {
      const error = await serve({}, { at: 'stdio:' }).catch((reason: unknown) => reason)
      return String(error)
    },
    callBack: (_params: unknown, ctx) => ctx.client.call('name'),
    exit: (status: number) => process.exit(status),
    never: () => new Promise(() => undefined),
  },
  { at: 'stdio:' },
)
process.on('exit', (status) => process.stderr.write(`ended with ${status}\n`))
