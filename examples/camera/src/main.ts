import { runDemo } from './demo.ts'

// The exit then takes the children and the files along; the numbers are what a shell says of such a signal.
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.once(signal, () => process.exit(status))
}

const threeSeconds = 180
await runDemo((line) => console.log(line), threeSeconds)
