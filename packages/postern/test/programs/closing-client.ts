/** A client that must end by itself: it holds all that a connection can hold, then gives it up in the way of its second argument. */
import { connect, contract, event, method, stream } from '../../src/index.ts'

const [address = '', way = ''] = process.argv.slice(2)
const node = contract('node', { ping: method(), numbers: stream(), joined: event() })
let lost: () => void = () => undefined
const disconnected = new Promise<void>((resolve) => {
  lost = resolve
})
const connection = await connect(address, node, { onDisconnect: lost, onError: () => undefined })
await connection.api.numbers().next()
await connection.api.numbers(undefined, { onGap: () => undefined }).next()
await connection.on.joined(() => undefined).ready
process.stdout.write('ready\n')
if (way.endsWith('Lost')) {
  await disconnected
  connection.call('node.ping').catch(() => undefined)
}
if (way.startsWith('close')) await connection.close()
else connection.abort()
