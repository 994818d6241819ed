/** A server that ends by itself in the way of its second argument. */
import { serve } from '../../src/index.ts'

const [address = '', way = ''] = process.argv.slice(2)
const server = await serve({ echo: (params: unknown) => params }, { at: address })
const ways: Record<string, () => void> = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('an exception that nobody catches')
  },
  close: () => void server.close(),
  ownHandler: () => {
    process.on('SIGTERM', () => process.exit(9))
    process.kill(process.pid, 'SIGTERM')
  },
}
process.stdout.write('ready\n', () => setImmediate(() => ways[way]?.()))
