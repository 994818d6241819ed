/** A client to be killed: calls the method of its second argument at the address of its first, says so, and waits. */
import { connect } from '../../src/index.ts'

const [address = '', method = 'never'] = process.argv.slice(2)
const connection = await connect(address, { reconnect: false })
const call = connection.call(method)
process.stdout.write('ready\n')
await call
