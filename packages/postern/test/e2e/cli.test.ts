/** `postern call`, and what all commands share: params, addresses, exit statuses, wrong use. */

import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serve } from '../../src/app/serve.ts'
import { leaveDeadSocket } from '../dead-socket.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { authorityFile, serverTls } from '../tls-certificates.ts'
import { startCliServer } from './cli-server.ts'
import { startDescribedServer } from './described-server.ts'
import { runCli, startCli } from './run-cli.ts'
import { answerWith, failWith, startScriptedServer } from './scripted-server.ts'

describe.skipIf(process.platform === 'win32')('postern call', () => {
  test('prints the result as one line of JSON in a pipe, and nothing else', async () => {
    const path = await startCliServer()
    const { status, stdout, stderr } = await runCli(['call', path, 'echo', '{"b":[1,"x"],"a":null}'])
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '{"b":[1,"x"],"a":null}\n', stderr: '' })
    expect((await runCli(['call', `unix:${path}`, 'nothing'])).stdout).toBe('null\n')
  })

  test('takes params in all their forms', async () => {
    const path = await startCliServer()
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'params.json'), '{\n "from": "file"\n}\n')
    const echo = async (args: readonly string[], input?: string): Promise<string> =>
      (await runCli(['call', path, 'echo', ...args], { cwd, ...(input === undefined ? {} : { input }) })).stdout
    expect(await echo(['1', 'latest', '-7', '"8"'])).toBe('[1,"latest",-7,"8"]\n')
    expect(await echo(['a=1', 'b=x'])).toBe('{"a":1,"b":"x"}\n')
    expect(await echo(['@params.json'])).toBe('{"from":"file"}\n')
    expect(await echo(['-'], '[1,\n[2]]')).toBe('[1,[2]]\n')
    expect(await echo(['x', '-'], '{"from":"stdin"}')).toBe('["x",{"from":"stdin"}]\n')
    expect(await echo(['x', '--', '--raw', '-q'])).toBe('["x","--raw","-q"]\n')
  })

  test('keeps all digits of whole numbers in a result', async () => {
    const path = await startScriptedServer(answerWith('{"wei":[123456789012345678901234567890,-9007199254740993,1]}'))
    expect((await runCli(['call', path, 'm'])).stdout).toBe(
      '{"wei":[123456789012345678901234567890,-9007199254740993,1]}\n',
    )
  })

  test('--raw gives the bytes of the result as they came', async () => {
    const result = '{"b" : 1.00e2,\t"a":"\\u001b[0m\u009b\u202eé" , "b":12345678901234567890 }'
    const path = await startScriptedServer(answerWith(result))
    const { status, bytes, stderr } = await runCli(['call', path, 'm', '--raw'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(bytes.equals(Buffer.from(result))).toBe(true)
  })

  test('finds a node by its name where it usually listens, and says where it looked', async () => {
    const HOME = await temporaryDirectory()
    const missing = await runCli(['call', 'geth', 'eth_chainId'], { env: { HOME } })
    expect(missing.status).toBe(3)
    expect(missing.stderr).toContain(join(HOME, '.ethereum/geth.ipc'))
    await mkdir(join(HOME, '.ethereum'), { mode: 0o700 })
    const path = await startScriptedServer(answerWith('"0x1"'), join(HOME, '.ethereum/geth.ipc'))
    await chmod(path, 0o600)
    const { status, stdout, stderr } = await runCli(['call', 'geth', 'eth_chainId'], { env: { HOME } })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '"0x1"\n', stderr: '' })
  })

  test('takes the address from POSTERN_ADDRESS where it is left out', async () => {
    const path = await startCliServer()
    const env = { POSTERN_ADDRESS: path }
    expect((await runCli(['call', 'echo', '5'], { env })).stdout).toBe('5\n')
    expect((await runCli(['call', path, 'echo', '5'], { env: { POSTERN_ADDRESS: '/nowhere' } })).stdout).toBe('5\n')
    expect((await runCli(['call', 'echo', '5'], { env: { POSTERN_ADDRESS: '' } })).status).toBe(2)
  })

  test('takes a relative path, and one in the home directory', async () => {
    const cwd = await temporaryDirectory()
    await startScriptedServer(answerWith('1'), join(cwd, 'x.sock'))
    expect((await runCli(['call', './x.sock', 'm'], { cwd })).stdout).toBe('1\n')
    expect((await runCli(['call', '~/x.sock', 'm'], { env: { HOME: cwd } })).stdout).toBe('1\n')
  })

  test('shows the token in a file to a server that asks for one', async () => {
    const directory = await temporaryDirectory()
    const [right, wrong] = [join(directory, 'token'), join(directory, 'wrong')]
    await writeFile(wrong, `${'x'.repeat(43)}\n`, { mode: 0o600 })
    const { path } = await startDescribedServer({ token: { file: right } })
    const call = ['call', path, 'node.add', '2', '3']
    expect(await runCli([...call, '--token-file', right])).toMatchObject({ status: 0, stdout: '5\n', stderr: '' })
    const refused = await runCli([...call, '--token-file', wrong])
    expect(refused).toMatchObject({ status: 4, stdout: '' })
    expect(refused.stderr).toMatch(/\[permission_denied\]/)
    expect((await runCli([...call, '--token-file', join(directory, 'none')])).status).toBe(3)
    expect((await runCli(call)).stderr).toMatch(/\(--token-file FILE shows the token\)\n$/)
  })

  test('speaks TLS with a server that a certificate in a file has signed', async () => {
    const file = join(await temporaryDirectory(), 'token')
    const at = { address: 'tcp://localhost:0', tls: serverTls, token: { file } }
    const server = await serve({ here: () => 'here' }, { at, onError: () => undefined })
    onTestFinished(() => server.close())
    const call = ['call', String(server.addresses[0]), 'here', '--token-file', file]
    expect(await runCli([...call, '--ca', authorityFile])).toMatchObject({ status: 0, stdout: '"here"\n', stderr: '' })
    const refused = await runCli([...call, '--tls'])
    expect(refused).toMatchObject({ status: 4, stdout: '' })
    expect(refused.stderr).toMatch(/\[peer_rejected\].*\(--ca FILE does\)\n$/)
    expect((await runCli(call)).stderr).toMatch(/TLS only: give the option tls.*\(--tls or --ca FILE does\)/)
  })

  test('-v shows the frames on stderr, shortened', async () => {
    const path = await startCliServer()
    const { stdout, stderr } = await runCli(['call', path, 'big', '5000', '-v'])
    expect(stdout).toHaveLength(5_003)
    const [sent, received, ...rest] = stderr.split('\n')
    expect(sent).toBe('--> {"jsonrpc":"2.0","id":1,"method":"big","params":[5000]}')
    expect(received).toMatch(/^<-- \{"jsonrpc":"2\.0","id":1,"result":"x+… \(\d+ bytes\)$/)
    expect(received?.length).toBeLessThan(1_100)
    expect(rest).toEqual([''])
  })

  test('warns of a likely slip, but not with -q', async () => {
    const path = await startCliServer()
    expect((await runCli(['call', path, 'echo', '{a:1}'])).stderr).toMatch(
      /^postern: \{a:1\} looks like JSON but is not/,
    )
    expect((await runCli(['call', path, 'echo', '{a:1}', '-q'])).stderr).toBe('')
    const strict = await startScriptedServer(failWith({ code: -32602, message: 'non-array args' }))
    const { status, stderr } = await runCli(['call', strict, 'eth_getLogs', 'fromBlock=0x0'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^postern: the object was sent as the params themselves; '\[\{\.\.\.\}\]' sends it/)
    expect(stderr).toMatch(/\npostern: \[invalid_params\] [^\n]*\n$/)
  })
})

describe.skipIf(process.platform === 'win32')('the exit status', () => {
  /** Runs twice: as a person reads it, and with --json as a program does. */
  async function fails(args: readonly string[], options: Parameters<typeof runCli>[1] = {}) {
    const [plain, json] = await Promise.all([runCli(args, options), runCli([...args, '--json'], options)])
    expect(plain.stdout + json.stdout).toBe('')
    expect(json.status).toBe(plain.status)
    const told = JSON.parse(json.stderr) as { error: { code: string; message: string; details?: unknown } }
    expect(json.stderr).toBe(`${JSON.stringify(told)}\n`)
    if (told.error.code !== 'usage')
      expect(plain.stderr).toContain(`postern: [${told.error.code}] ${told.error.message}`)
    return { status: plain.status, line: plain.stderr, ...told.error }
  }

  test('is 1 for an error answer, with what the server said', async () => {
    const path = await startCliServer()
    const error = await fails(['call', path, 'poor'])
    expect(error.line).toBe(
      'postern: [remote] poor: not enough (code -32000), data: {"code":"insufficient_funds","details":{"missing":12}}\n',
    )
    expect(error).toMatchObject({
      status: 1,
      code: 'remote',
      details: { code: -32000, message: 'not enough', data: { code: 'insufficient_funds', details: { missing: 12 } } },
    })
    expect(await fails(['call', path, 'broken'])).toMatchObject({ status: 1, code: 'internal' })
    const strict = await startScriptedServer(
      failWith({ code: -32602, message: 'missing value for required argument 0' }),
    )
    expect(await fails(['call', strict, 'm'])).toMatchObject({ status: 1, code: 'invalid_params' })
  })

  test('is 3 where nobody listens, told at once', async () => {
    const directory = await temporaryDirectory()
    expect(await fails(['call', join(directory, 'nothing'), 'm'])).toMatchObject({ status: 3, code: 'no_listener' })
    await leaveDeadSocket(join(directory, 'stale'))
    const stale = await fails(['call', join(directory, 'stale'), 'm'])
    expect(stale).toMatchObject({ status: 3, code: 'no_listener' })
    expect(stale.line).toContain('stale')
    expect(await fails(['call', 'local:nobody', 'm'])).toMatchObject({ status: 3, code: 'no_listener' })
  })

  test('is 3 when the server dies in the middle of a call', async () => {
    const path = await startScriptedServer((_, socket) => void socket.destroy())
    expect(await fails(['call', path, 'm'])).toMatchObject({ status: 3, code: 'unknown_outcome' })
    const half = await startScriptedServer((_, socket) => void socket.end('{"jsonrpc":"2.0","id":1,"resu'))
    expect((await fails(['call', half, 'm'])).status).toBe(3)
  })

  test('is 3 when a server of ours says that it is closing', async () => {
    // Only behind a local: name do the numbers mean ours.
    const runtime = await temporaryDirectory()
    await mkdir(join(runtime, 'postern'), { mode: 0o700 })
    const closing = failWith({ code: -32005, message: 'the server is closing' })
    const path = await startScriptedServer(closing, join(runtime, 'postern', 'node'))
    const env = { XDG_RUNTIME_DIR: runtime }
    expect(await fails(['call', 'local:node', 'm'], { env })).toMatchObject({ status: 3, code: 'closed' })
    expect(await fails(['call', path, 'm'])).toMatchObject({ status: 1, code: 'remote' })
  })

  test('is 4 where the system or our own caution forbids', async () => {
    const path = await startScriptedServer(answerWith('1'))
    if (process.getuid?.() === 0) {
      await chown(path, 12_345, 12_345)
      const error = await fails(['call', path, 'm'])
      expect(error).toMatchObject({ status: 4, code: 'peer_rejected' })
      expect(error.line).toContain('--trust UID')
      expect((await runCli(['call', path, 'm', '--trust', '12345'])).stdout).toBe('1\n')
    } else {
      await chmod(path, 0)
      expect(await fails(['call', path, 'm'])).toMatchObject({ status: 4, code: 'permission_denied' })
    }
  })

  test('is 5 after the deadline', async () => {
    const path = await startCliServer()
    const error = await fails(['call', path, 'never', '--timeout', '200ms'])
    expect(error).toMatchObject({ status: 5, code: 'deadline_exceeded' })
    expect(error.line).toContain('--timeout TIME waits longer')
  })

  test('is 6 where the protocol or a limit is broken', async () => {
    const babbling = await startScriptedServer((_, socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await fails(['call', babbling, 'm'])).toMatchObject({ status: 6, code: 'bad_frame' })
    const path = await startCliServer()
    const error = await fails(['call', path, 'big', '100000', '--limit', 'maxAnswerBytes=5000'])
    expect(error).toMatchObject({ status: 6, code: 'frame_too_large' })
    expect(error.line).toContain('--limit NAME=NUMBER')
  })

  test('is 6 for an answer too deep to be formatted, which --raw gives', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000)
    const path = await startScriptedServer(answerWith(deep))
    expect(await fails(['call', path, 'm'])).toMatchObject({ status: 6, code: 'limit_exceeded' })
    expect((await runCli(['call', path, 'm', '--raw'])).stdout).toBe(deep)
  })

  test('is 7 for a method that does not exist', async () => {
    const path = await startCliServer()
    expect(await fails(['call', path, 'no.such'])).toMatchObject({ status: 7, code: 'unknown_method' })
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('is that of the signal %s', async (signal) => {
    let called: () => void = () => undefined
    const calling = new Promise<void>((resolve) => {
      called = resolve
    })
    const path = await startScriptedServer(() => called())
    const { child, result } = startCli(['call', path, 'm'])
    await calling
    child.kill(signal)
    expect(await result).toMatchObject({ signal, stdout: '', stderr: '' })
  })

  test.each<[string, readonly string[], RegExp]>([
    ['no command', [], /give a command: call, notify, batch, sub, .*; see postern --help/],
    ['an unknown command', ['cal'], /no command "cal"; did you mean call\?/],
    ['an option before the command', ['-v', 'call'], /options stand behind the command/],
    [
      'an unknown option',
      ['call', '/x', 'm', '--timout', '5'],
      /call has no option --timout; did you mean --timeout\?/,
    ],
    ['an option without its value', ['call', '/x', 'm', '--timeout'], /--timeout needs a value/],
    ['a time that is none', ['call', '/x', 'm', '--timeout', 'soon'], /--timeout takes a time/],
    [
      'a limit that is none',
      ['call', '/x', 'm', '--limit', 'maxFun=1'],
      /--limit maxFun is not a limit; there are maxCallBytes/,
    ],
    ['a limit without a number', ['call', '/x', 'm', '--limit', 'callMs'], /--limit takes NAME=NUMBER/],
    ['a limit of nothing', ['call', '/x', 'm', '--limit', 'callMs=0'], /--limit callMs must be a whole number from 1/],
    ['a user that is no number', ['call', '/x', 'm', '--trust', 'root'], /--trust takes the number of a user/],
    ['-q and -v', ['call', '/x', 'm', '-qv'], /exclude each other/],
    ['no address', ['call'], /give an ADDRESS/],
    ['an address that is none', ['call', 'x.sock', 'm'], /"x\.sock" is no address: write \.\/x\.sock/],
    ['an unknown scheme', ['call', 'unx:/x', 'm'], /\[bad_address\].*"unx:" is not a scheme/],
    ['a scheme that is not built', ['call', 'zmq:/tmp/x', 'm'], /\[not_supported\] zmq: is not built yet/],
    [
      'another machine without TLS',
      ['call', 'tcp://192.0.2.1:1', 'm'],
      /\[not_supported\].*\(--tls or --ca FILE does\)/,
    ],
    [
      'certificates in no file',
      ['call', 'tcp://[::1]:1', 'm', '--ca', 'nope.pem'],
      /--ca cannot read nope\.pem: ENOENT/,
    ],
    ['a file without certificates', ['call', 'tcp://[::1]:1', 'm', '--ca', 'package.json'], /package\.json has none/],
    ['TLS where there is none', ['call', '/x', 'm', '--tls'], /\[not_supported\] tls works with tcp: addresses alone/],
    ['a path that is no socket', ['call', '/', 'm'], /\[bad_address\].*is a directory/],
    ['no method', ['call', '/x'], /call needs a METHOD/],
    ['a method without a name', ['call', '/x', ''], /call needs a METHOD/],
    [
      'a number that would be rounded',
      ['call', '/x', 'm', '12345678901234567890'],
      /12345678901234567890.*would be rounded/,
    ],
    ['a file that is not there', ['call', '/x', 'm', '@nope.json'], /cannot read @nope\.json: ENOENT/],
    ['what looks like JSON, and a wrong address', ['call', 'unx:/x', 'm', '{a:1}'], /\[bad_address\]/],
    ['stdin that is not JSON', ['call', '/x', 'm', '-'], /stdin is not JSON/],
    ['a sub of what can be no stream', ['sub', '/x', 'chainId'], /the name of a stream.*not chainId/],
    ['a sub of what no contract has', ['sub', '/x', 'node.then'], /the name of a stream.*not node\.then/],
    ['a token in no file', ['call', '/x', 'm', '--token-file', ''], /--token-file takes the path of a file/],
    ['a count that is none', ['sub', '/x', 'eth_subscribe', '--count', '0'], /--count takes a whole number from 1/],
  ])('is 2 for %s, with one line that says so', async (_, args, message) => {
    const error = await fails(args)
    expect(error.status).toBe(2)
    expect(error.line).toMatch(message)
    expect(error.line.split('\n')).toHaveLength(args.includes('{a:1}') ? 3 : 2)
  })
})

describe('postern --help and --version', () => {
  test('answer on stdout', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { status, stdout, stderr } = await runCli(args)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toContain('Usage: postern COMMAND')
    }
    for (const args of [
      ['call', '--help'],
      ['help', 'call'],
      ['call', '-h', '/x'],
    ]) {
      expect((await runCli(args)).stdout).toMatch(/^Usage: postern call ADDRESS METHOD \[PARAMS\.\.\.\]\n/)
    }
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await runCli(['--version'])).stdout).toBe(`${manifest.version}\n`)
  })
})
