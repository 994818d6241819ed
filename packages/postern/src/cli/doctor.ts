import { escapeText } from '../core/escape.ts'
import { Answers } from './answers.ts'
import { columns } from './columns.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { allFindings, type Finding } from './findings.ts'
import { formatJson } from './format-json.ts'
import { UsageError } from './usage-error.ts'

const options = {
  ...commonOptions,
  json: { type: 'boolean', help: 'a line of JSON for each finding, as in a pipe; a failure as one on stderr' },
} as const

/** `postern doctor`. */
export const command: Command = {
  name: 'doctor',
  usage: 'doctor',
  about: `Looks at what Postern needs here and says what it found: Node, the system, the directory of local: names, the native
addon, the optional packages, the limit on open files. A note costs what it says, and all else works; when something is
wrong the exit status is 1. In a pipe each is a line of JSON. Nothing is changed.`,
  options,
  examples: [
    ['postern doctor', 'what is there'],
    [`postern doctor | jq -r 'select(.state != "ok").detail'`, 'what could be better'],
  ],
  run,
}

/** The answer is there, and says that not all is well. */
const wrongStatus = 1

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const [extra] = positionals
  if (extra !== undefined) throw new UsageError(`doctor takes no arguments, so ${JSON.stringify(extra)} is too many`)
  const findings = await allFindings()
  const answers = new Answers(process.stdout)
  const forPeople = process.stdout.isTTY === true && values.json !== true
  await answers.write(
    forPeople ? columns(findings.map(cellsOf), true) : findings.map((finding) => `${formatJson(finding)}\n`).join(''),
  )
  await answers.flush()
  if (findings.some(({ state }) => state === 'wrong')) process.exitCode = wrongStatus
}

function cellsOf({ name, state, detail }: Finding): string[] {
  return [state, name, escapeText(detail)]
}
