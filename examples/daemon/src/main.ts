import { runDemo } from './demo.ts'
import { verdictOf } from './verdict.ts'

/** What a shell says of a program that such a signal has ended. */
const statuses = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const interrupted = new AbortController()
for (const [signal, status] of Object.entries(statuses)) {
  process.on(signal, () => {
    // The second time nothing is waited for, but even then the children go with us.
    if (interrupted.signal.aborted) process.exit(status)
    process.exitCode = status
    interrupted.abort()
  })
}

// Whoever read the output, as in `npm start | head`, has had enough; 141 is what a shell says of SIGPIPE.
process.stdout.on('error', () => {
  process.exitCode = 141
  interrupted.abort()
})

try {
  const result = await runDemo({ say: (line) => console.log(line), signal: interrupted.signal })
  const { faults, lines } = verdictOf(result)
  console.log(`\n${lines.join('\n')}`)
  for (const fault of faults) console.error(`daemon example: ${fault}`)
  if (faults.length > 0) process.exitCode = 1
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  console.error('daemon example: interrupted; everything is stopped')
}
