import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-directory.ts'
import { until } from '../testing/until.ts'

const program = fileURLToPath(new URL('../../test/programs/spawn-echo.ts', import.meta.url))
const argv = [process.execPath, '--import', 'tsx', program, 'printed before'] as const

const question = (id: number, method: string, ...params: readonly unknown[]): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

/** Runs a command of the shell, as users do. */
async function run(command: string, variables: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn('/bin/sh', ['-c', command, 'sh', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  })
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  const [status] = (await once(child, 'close')) as [number | null]
  return { stdout: stdout(), stderr: stderr(), status }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return () => text
}

describe('stdio: at a server', () => {
  test('answers over the pipes of a shell, and the process ends by itself when the peer has', async () => {
    const { stdout, stderr, status } = await run(`printf '%s' '${question(1, 'echo', 'x')}' | "$@" | cat`)
    expect(stdout).toBe('printed before\n{"jsonrpc":"2.0","id":1,"result":"x"}\n')
    expect(stderr).toBe('ended with 0\n')
    expect(status).toBe(0)
  })

  test('answers from a file into a file', async () => {
    const directory = await temporaryDirectory()
    await writeFile(`${directory}/in`, question(1, 'echo', 1) + question(2, 'echo', 2))
    const { status } = await run(`"$@" < '${directory}/in' > '${directory}/out'`)
    expect(status).toBe(0)
    const lines = (await readFile(`${directory}/out`, 'utf8')).trimEnd().split('\n')
    expect(lines.sort()).toEqual([
      'printed before',
      '{"jsonrpc":"2.0","id":1,"result":1}',
      '{"jsonrpc":"2.0","id":2,"result":2}',
    ])
  })

  test('keeps what the program prints out of the conversation', async () => {
    const { stdout, stderr } = await run(`printf '%s' '${question(1, 'print', 'oops')}' | "$@" | cat`)
    expect(stdout).toBe('printed before\n{"jsonrpc":"2.0","id":1,"result":null}\n')
    expect(stderr).toContain('oops\noops by hand\n')
  })

  test('is one connection, and says so when it is asked for another', async () => {
    const { stdout } = await run(`printf '%s' '${question(1, 'again')}' | "$@" | cat`)
    expect(stdout).toContain('[address_in_use] this process talks over stdio: already')
  })

  test.each([
    ['17', 'POSTERN_FD=17 names no open socket'],
    ['0', 'POSTERN_FD=0 names no open socket'],
    ['three', 'POSTERN_FD=three names no open socket'],
  ])('refuses POSTERN_FD=%s, which is no socket', async (POSTERN_FD, why) => {
    const { stderr, status } = await run('"$@" < /dev/null', { POSTERN_FD })
    expect(stderr).toContain('bad_address')
    expect(stderr).toContain(why)
    expect(status).toBe(1)
  })

  test('tells the other side of its end though the process lives on', async () => {
    const lasting = `import { connectStdio } from '${new URL('./stdio.ts', import.meta.url).href}'
      const stream = await connectStdio()
      stream.start({ data() {}, drain() {}, end() {}, close() {} })
      stream.write('bye')
      stream.end()
      setInterval(() => 0, 1e6)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', lasting], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => ended(child))
    const said = textOf(child.stdout)
    await once(child.stdout, 'end')
    expect(said()).toBe('bye')
    expect(child.exitCode).toBeNull()
  })

  test('tells the other side of its abort though the process lives on', async () => {
    const lasting = `import { connectStdio } from '${new URL('./stdio.ts', import.meta.url).href}'
      const stream = await connectStdio()
      stream.start({ data: () => stream.abort(), drain() {}, end() {}, close() {} })
      setInterval(() => 0, 1e6)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', lasting], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => ended(child))
    let broken = false
    child.stdin.on('error', () => (broken = true))
    child.stdout.resume()
    child.stdin.write('x')
    await once(child.stdout, 'end')
    await until(() => {
      child.stdin.write('x')
      return broken
    })
    expect(child.exitCode).toBeNull()
  })
})

describe('stdio: at a client', () => {
  /** What it says of a connection whose other side says this, and ends. */
  async function toldAfter(sent: string, connecting: string): Promise<string> {
    const script = `import { connect } from '${new URL('../app/connect.ts', import.meta.url).href}'\n${connecting}`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    onTestFinished(() => ended(child))
    const said = textOf(child.stderr)
    child.stdout.resume()
    child.stdin.end(sent)
    await once(child, 'close')
    return said()
  }

  test.each([
    ['ends in order', '', 'undefined\n'],
    ['says what is no answer', 'what?\n', 'PosternError: [bad_frame] expected a JSON object or array, got "what?"\n'],
    ['ends in an answer', '{"id', 'PosternError: [closed] the other side ended inside a frame, after 4 bytes of it\n'],
  ])('is not connected to again, and tells why it ended, when the other side %s', async (_, sent, told) => {
    const connecting = `const { closed } = await connect('stdio:'); console.error(String(await closed))`
    expect(await toldAfter(sent, connecting)).toBe(told)
  })

  test('is not tried again when the other side ends while it is shown a token', async () => {
    const file = `${await temporaryDirectory()}/token`
    await writeFile(file, 't'.repeat(64), { mode: 0o600 })
    const connecting = `await connect('stdio:', { token: { file: '${file}' } }).catch((error) => console.error(String(error)))`
    expect(await toldAfter('', connecting)).toMatch(/^PosternError: \[closed\] /)
  })
})

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
