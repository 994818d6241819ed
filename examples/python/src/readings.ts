/** Serves the readings until it is stopped, for a Python of your own: `npx tsx src/readings.ts [ADDRESS]`. */

import { serveReadings } from './serve-readings.ts'

const server = await serveReadings(process.argv[2] ?? 'local:readings')
console.log(`serves ${server.addresses.join(' and ')}`)
