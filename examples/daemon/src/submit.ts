/** Submits a job and follows it to its end: `npx tsx src/submit.ts NAME [PAYLOAD] [--key KEY]`. */

import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { connectToDaemon, follow } from './client.ts'
import type { Job } from './contract.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { key: { type: 'string' } } })
const [name = '', payload = 'null'] = positionals
// With a key the submit may be repeated: the library does it when the daemon dies before it has answered.
const { key = randomUUID() } = values

await using connection = await connectToDaemon()
const { id } = await connection.api.submit({ name, payload: JSON.parse(payload) as Job['payload'], key })
for await (const { state, attempt, worker } of follow(connection, id)) {
  console.error(`job ${id}: ${state}${worker === null ? '' : `, attempt ${attempt} by ${worker}`}`)
}
const { state, result, error } = await connection.api.get({ id })
if (state === 'done') console.log(JSON.stringify(result))
else {
  console.error(error ?? state)
  process.exitCode = 1
}
