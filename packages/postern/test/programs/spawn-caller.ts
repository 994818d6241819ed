/** A program that is started and calls who started it, then prints the answer on its stdout, which is free for that. */
import { connect } from '../../src/index.ts'

const parent = await connect('stdio:', { reconnect: false })
console.log(await parent.call('name', 'program'))
await parent.close()
