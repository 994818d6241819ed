import { takeSoleAddress } from './address-argument.ts'
import { Answers } from './answers.ts'
import { ping } from './built-in-methods.ts'
import { type Command, type CommandLine, commonOptions } from './command.ts'
import { connectionOptions, withConnection } from './connection-options.ts'
import { formatJson } from './format-json.ts'
import { parseCount } from './parse-count.ts'

const options = {
  count: { type: 'string', short: 'n', value: 'N', help: 'ask N times, one after the other; default 1' },
  ...connectionOptions,
  ...commonOptions,
} as const

/** `postern ping`. */
export const command: Command = {
  name: 'ping',
  usage: 'ping ADDRESS',
  about: `Asks a server whether it is there, by rpc.ping, and prints how long the answer took: as {"ms":0.213} in a pipe. Any
answer counts: a server that is not Postern answers that it knows no such method. The first ping takes longer.`,
  options,
  examples: [
    ['postern ping local:node', 'as a test: exit status 0 when it answers'],
    ['postern ping ~/.ethereum/geth.ipc', 'any JSON-RPC server'],
    ["postern ping local:node -n 1000 | jq -s 'map(.ms) | sort | .[500]'", 'the median of a thousand'],
  ],
  run,
}

async function run({ values, positionals }: CommandLine<typeof options>): Promise<void> {
  const address = takeSoleAddress(positionals, process.env['POSTERN_ADDRESS'], 'ping')
  const count = parseCount(values.count, 1)
  const answers = new Answers(process.stdout)
  await withConnection(address, values, async (connection) => {
    for (let asked = 0; asked < count && !answers.ended.aborted; asked++) {
      await answers.write(showTime((await ping(connection)).ms))
    }
  })
  await answers.flush()
}

function showTime(ms: number): string {
  const rounded = ms.toFixed(3)
  return process.stdout.isTTY === true ? `answered in ${rounded} ms\n` : `${formatJson({ ms: Number(rounded) })}\n`
}
