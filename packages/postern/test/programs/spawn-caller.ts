/** A program that is started and calls who started it, then prints the answer on its stdout, which is free for that. */
import { connect } from '../../src/index.ts'

const parent = await connect('stdio:', { reconnect: false })
process.stdout.write(`${String(await parent.call('name', 'program'))}\n`)
await parent.close()
