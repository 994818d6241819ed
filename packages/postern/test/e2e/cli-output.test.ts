/** Where the CLI writes: pipes that close, disks that are full, terminals that obey. */

import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { startCliServer } from './cli-server.ts'
import { type CliResult, runCli, runShell, startInTerminal, whyNoTerminal } from './run-cli.ts'
import { answerWith, failWith, publish, type Script, startScriptedServer } from './scripted-server.ts'

describe.skipIf(process.platform === 'win32')('the output in a pipe', () => {
  test('is written to the end, however long', async () => {
    const path = await startCliServer()
    const { status, bytes } = await runCli(['call', path, 'big', '30000000'])
    expect({ status, length: bytes.length }).toEqual({ status: 0, length: 30_000_003 })
  })

  test('may be closed by its reader: no word, and the status of the answer', async () => {
    const path = await startCliServer()
    const { stdout, stderr } = await runShell('{ "$@"; echo "status $?" >&2; } | head -c 1', [
      'call',
      path,
      'big',
      '30000000',
    ])
    expect({ stdout, stderr }).toEqual({ stdout: '"', stderr: 'status 0\n' })
    const failed = await runShell('{ "$@"; echo "status $?" >&2; } | true', ['call', path, 'no.such', '-q'])
    expect(failed.stderr).toMatch(/^postern: \[unknown_method\].*\nstatus 7\n$/)
  })

  test('may be closed by its reader while items come', async () => {
    const answer = publish(['1', '2'])
    const path = await startScriptedServer((call, socket) => {
      answer(call, socket)
      const note = '{"jsonrpc":"2.0","method":"t_subscription","params":{"subscription":"0x1","result":3}}\n'
      const timer = setInterval(() => socket.write(note), 10)
      socket.on('close', () => clearInterval(timer))
    })
    const { stdout, stderr } = await runShell('{ "$@"; echo "status $?" >&2; } | head -n 1', [
      'sub',
      path,
      't_subscribe',
    ])
    expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: 'status 0\n' })
  })

  test('may be closed from the start, as may stderr', async () => {
    const path = await startCliServer()
    expect(await runShell('"$@" >&-', ['call', path, 'echo', '1'])).toMatchObject({ status: 0, stderr: '' })
    expect(await runShell('"$@" 2>&-', ['call', path, 'no.such'])).toMatchObject({ status: 7, stdout: '' })
    expect(
      await runShell('{ { "$@"; echo $? >&3; } 2>&1 >/dev/null | true; } 3>&1', ['call', path, 'no.such']),
    ).toMatchObject({
      stdout: '7\n',
    })
  })

  test.skipIf(!existsSync('/dev/full'))('is missed where the disk is full', async () => {
    const path = await startCliServer()
    const { status, stderr } = await runShell('"$@" >/dev/full', ['call', path, 'echo', '1'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^postern: \[internal\] cannot write the answer to stdout: ENOSPC[^\n]*\n$/)
  })

  test('of --help and --version may be closed', async () => {
    expect((await runShell('{ "$@"; echo "status $?" >&2; } | true', ['--help'])).stderr).toBe('status 0\n')
  })
})

/** What a hostile peer may say: control sequences of terminals, forged lines, hidden and reordered text. */
const hostile = [
  '\u001b[2J\u001b[31mred',
  '\u001b]0;title\u0007',
  '\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\',
  '\u001b]52;c;aGk=\u0007',
  '\rpostern: forged',
  'line\npostern: forged',
  '\b\b\b\u007f',
  '\u009b2J\u009d0;title\u009c\u0085',
  '\u202eesrever\u2066hidden\u2069\u200f\u061c',
  '\u2028\u2029\ufeff\0',
].join(' ')

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

/** The text without the colours of ours, and without the line ends that a terminal makes. */
function bare(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
  return text.replaceAll(/\u001b\[\d\d?m/g, '').replaceAll('\r\n', '\n')
}

const text = JSON.stringify(hostile)

/** A service in which everything that can be named or told is hostile. */
const description = JSON.stringify({
  methods: [
    {
      name: hostile,
      summary: hostile,
      paramStructure: 'by-name',
      params: [{ name: hostile, summary: hostile, schema: { enum: [hostile] } }],
      result: { schema: { properties: { [hostile]: { description: hostile } } } },
      errors: [{ code: 1, message: hostile, data: { code: hostile, details: { const: hostile } } }],
    },
    { name: 'node.m', summary: hostile, params: [{ name: hostile, schema: { $ref: `#/definitions/${hostile}` } }] },
  ],
  'x-events': [{ name: `node.${hostile}`, summary: hostile, payload: { const: hostile } }],
})

const refused = failWith({ code: 3, message: hostile, data: hostile })

/** Every way in which the text of a peer gets in, with the arguments that bring it out. */
const entrances: readonly (readonly [string, Script, readonly string[]])[] = [
  ['a result', answerWith(`{${text}:[${text}]}`), ['call', 'm']],
  ['a result, --raw', answerWith(`{${text}:[${text}]}`), ['call', 'm', '--raw']],
  ['a result and its frames', answerWith(text), ['call', 'm', '-v']],
  ['an item', publish([text]), ['sub', 't_subscribe', '--count', '1']],
  ['an error', failWith({ code: 3, message: hostile, data: { [hostile]: [hostile] } }), ['call', 'm']],
  ['an error, --json', failWith({ code: 3, message: hostile, data: hostile }), ['call', 'm', '--json']],
  ['an error of a subscription', failWith({ code: 3, message: hostile }), ['sub', 't_subscribe']],
  ['bytes that are no frame', (_, socket) => void socket.end(`Too many connections ${hostile}\n`), ['call', 'm']],
  ['bytes that are no frame, and the frames', (_, socket) => void socket.end(`{ ${hostile}\n`), ['call', 'm', '-v']],
  [
    'an error that names no call',
    (_, socket) => void socket.end(`{"id":null,"error":{"code":1,"message":${text}}}\n`),
    ['call', 'm'],
  ],
  ['an id that nobody asked for', (_, socket) => void socket.end(`{"id":${text},"result":1}\n`), ['call', 'm']],
  ['an outcome', (_, socket) => void socket.write(`[{"jsonrpc":"2.0","id":1,"result":${text}}]\n`), ['batch', 'm']],
  [
    'an outcome that is an error',
    (_, socket) =>
      void socket.write(`[{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":${text},"data":[${text}]}}]\n`),
    ['batch', 'm'],
  ],
  ['a list', answerWith(description), ['list']],
  ['a description', answerWith(description), ['describe']],
  ['a description of a method', answerWith(description), ['describe', 'node.m']],
  ['a description that lacks a method', answerWith(description), ['describe', 'node.x']],
  ['a contract', answerWith(description), ['types']],
  ['what is no description', refused, ['list']],
  ['an answer to ping, and its frames', refused, ['ping', '-v']],
  ['bytes that are no answer to wait', (_, socket) => void socket.end(`${hostile}\n`), ['wait']],
  ['a refusal to stop', refused, ['stop']],
  ['what comes upon a note', (_, socket) => void socket.end(`${hostile}\n`), ['notify', 'm', '-v']],
  ['the name of a method', failWith({ code: -32601, message: 'no' }), ['call', hostile.replaceAll('\0', '')]],
  ['a param', failWith({ code: -32602, message: 'no' }), ['call', 'm', `{${hostile.replaceAll('\0', '')}`]],
]

describe.skipIf(process.platform === 'win32')('the text of a peer', () => {
  const withPath = ([command = '', ...rest]: readonly string[], path: string): string[] => [command, path, ...rest]

  /** Nothing in it is obeyed, and every line of stderr is one of ours. */
  function expectHarmless({ stderr, stdout }: CliResult, args: readonly string[]): void {
    expect(stderr).not.toMatch(obeyed)
    for (const line of stderr.split('\n')) expect(line).toMatch(/^(|postern: .*|(-->|<--) .*|\{"error":.*)$/)
    // Tabs part the cells of a list.
    const shown = args[0] === 'list' ? stdout.replaceAll(/^([^\t]*)\t([^\t]*)\t/gm, '$1 $2 ') : stdout
    if (!args.includes('--raw')) expect(shown).not.toMatch(obeyed)
  }

  test.each(entrances)('is escaped in a pipe: %s', async (_, script, args) => {
    const path = await startScriptedServer(script)
    expectHarmless(await runCli(withPath(args, path)), args)
  })

  test.for(entrances)('is escaped on a terminal: %s', async ([_, script, args], { skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = await startScriptedServer(script)
    const { stdout } = await startInTerminal(withPath(args, path)).result
    if (args[0] !== 'notify') expect(stdout).not.toBe('')
    expect(bare(stdout)).not.toMatch(obeyed)
  })

  test('is escaped in the path of an address', async () => {
    const path = `${await temporaryDirectory()}/\u001b[2J\n\u202e`
    const { status, stderr } = await runCli(['call', path, 'm'])
    expect(status).toBe(3)
    expect(stderr).toMatch(/^[^\n]*\\u001b\[2J\\u000a\\u202e[^\n]*\n$/)
    expect(stderr.trimEnd()).not.toMatch(obeyed)
  })
})

describe.skipIf(process.platform === 'win32')('the output on a terminal', () => {
  test('is indented and coloured, but not with NO_COLOR', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = await startScriptedServer(answerWith('{"a":[1,"x"]}'))
    const coloured = await startInTerminal(['call', path, 'm']).result
    expect(coloured).toMatchObject({ status: 0 })
    expect(coloured.stdout).toContain('\u001b[33m1\u001b[39m')
    expect(bare(coloured.stdout)).toBe('{\n  "a": [\n    1,\n    "x"\n  ]\n}\n')
    const plain = await startInTerminal(['call', path, 'm'], { env: { NO_COLOR: '1' } }).result
    expect(plain.stdout).toBe('{\r\n  "a": [\r\n    1,\r\n    "x"\r\n  ]\r\n}\r\n')
  })

  test('shows the data of an error below it', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = await startScriptedServer(
      failWith({ code: 3, message: 'execution reverted', data: { reason: 'poor' } }),
    )
    const { status, stdout } = await startInTerminal(['call', path, 'eth_call']).result
    expect(status).toBe(1)
    expect(bare(stdout)).toBe(
      'postern: [remote] eth_call: execution reverted (code 3)\n  data: {\n    "reason": "poor"\n  }\n',
    )
  })

  test('tells of a subscription that stands', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = await startScriptedServer(publish(['{"n":1}']))
    const { stdout } = await startInTerminal(['sub', path, 't_subscribe', '-n', '1'], { env: { NO_COLOR: '1' } }).result
    expect(bare(stdout)).toBe('postern: subscribed, as 0x1; Ctrl-C ends it\n{"n":1}\n')
  })

  test('tells how much of a long answer has come, and takes that back', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    let finish: () => void = () => undefined
    const path = await startScriptedServer(({ id }, socket) => {
      socket.write(`{"jsonrpc":"2.0","id":${id},"result":"${'x'.repeat(1_500_000)}`)
      finish = () => void socket.write('"}\n')
    })
    const { result, written } = startInTerminal(['call', path, 'm'], { env: { NO_COLOR: '1' } })
    await written('1.5 MB received')
    finish()
    const { status, stdout } = await result
    expect(status).toBe(0)
    expect(stdout.lastIndexOf('\r\u001b[2K')).toBeGreaterThan(stdout.lastIndexOf('received'))
    expect(stdout.endsWith(`\r\u001b[2K"${'x'.repeat(1_500_000)}"\r\n`)).toBe(true)
  })
})
