import { runDemo } from './demo.ts'
import { whyNoPython } from './python-program.ts'

// The exit then takes the children and the files along; the numbers are what a shell says of such a signal.
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.once(signal, () => process.exit(status))
}

const why = whyNoPython()
if (why === undefined) await runDemo((line) => console.log(line))
else {
  console.error(`python example: ${why}; install it with your system's packages`)
  process.exitCode = 1
}
