/** `postern notify`, `ping`, `wait` and `stop`: whether a server is there, and how it ends. */

import { lstat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { leaveDeadSocket } from '../dead-socket.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { startCliServer } from './cli-server.ts'
import { runCli, startCli, startInTerminal, whyNoTerminal } from './run-cli.ts'
import { answerWith, failWith, type Script, type ScriptedCall, startScriptedServer } from './scripted-server.ts'

const onWindows = process.platform === 'win32'

describe.skipIf(onWindows)('postern notify', () => {
  test('prints nothing and ends when all of it has left', async () => {
    const arrived: ScriptedCall[] = []
    let closed: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      closed = resolve
    })
    const path = await startScriptedServer((call, socket) => {
      arrived.push(call)
      socket.once('close', closed)
    })
    const long = 'x'.repeat(100_000)
    const result = await runCli(['notify', path, 'log.line', `text=${long}`])
    expect(result).toMatchObject({ status: 0, stdout: '', stderr: '' })
    await ended
    expect(arrived).toEqual([{ jsonrpc: '2.0', method: 'log.line', params: { text: long } }])
  })

  test('fails as a call does', async () => {
    expect(await runCli(['notify', '/nowhere', 'm'])).toMatchObject({ status: 3, stdout: '' })
    expect((await runCli(['notify', '/nowhere'])).stderr).toMatch(/notify needs a METHOD/)
    expect((await runCli(['notify', '/x', 'm', '@nope'])).status).toBe(2)
  })
})

describe.skipIf(onWindows)('postern ping', () => {
  test('prints a time for each answer', async () => {
    const path = await startScriptedServer(answerWith('"pong"'))
    const { status, stdout, stderr } = await runCli(['ping', path, '-n', '3'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^(\{"ms":\d+(\.\d{1,3})?\}\n){3}$/)
    const { stdout: once } = await runCli(['ping'], { env: { POSTERN_ADDRESS: path } })
    expect(once).toMatch(/^\{"ms":[\d.]+\}\n$/)
  })

  test('prints it for people on a terminal', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = await startScriptedServer(answerWith('"pong"'))
    expect((await startInTerminal(['ping', path]).result).stdout).toMatch(/^answered in \d+\.\d{3} ms\r\n$/)
  })

  test.each<[string, Script]>([
    ['that it knows no such method', failWith({ code: -32601, message: 'the method rpc.ping does not exist' })],
    ['that it wants other params', failWith({ code: -32602, message: 'data did not match any variant' })],
    ['whatever else', failWith({ code: -32001, message: 'resource not found' })],
    ['with another result', answerWith('null')],
  ])('counts an answer that says %s', async (_, script) => {
    const path = await startScriptedServer(script)
    expect(await runCli(['ping', path])).toMatchObject({ status: 0, stderr: '' })
  })

  test('fails where no answer comes', async () => {
    expect((await runCli(['ping', '/nowhere'])).status).toBe(3)
    const silent = await startScriptedServer(() => undefined)
    expect(await runCli(['ping', silent, '--timeout', '200ms'])).toMatchObject({ status: 5, stdout: '' })
    const dying = await startScriptedServer((_, socket) => void socket.destroy())
    expect((await runCli(['ping', dying])).status).toBe(3)
    const babbling = await startScriptedServer((_, socket) => void socket.write('220 smtp ready\r\n'))
    expect((await runCli(['ping', babbling])).status).toBe(6)
    expect((await runCli(['ping', silent, 'x'])).stderr).toMatch(
      /ping takes an ADDRESS and no more, so "x" is too many/,
    )
    expect((await runCli(['ping', silent, '-n', 'x'])).stderr).toMatch(/--count takes a whole number/)
  })
})

describe.skipIf(onWindows)('postern wait', () => {
  test('waits for a server that comes, and prints nothing', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const path = join(await temporaryDirectory(), 's')
    const { result, written } = startInTerminal(['wait', path])
    await written('postern: waiting: [no_listener]')
    await startScriptedServer(failWith({ code: -32601, message: 'no' }), path)
    const { status, stdout } = await result
    expect({ status, lines: stdout.split('\n').length }).toEqual({ status: 0, lines: 2 })
  })

  test('goes on when the server goes away before it answers', async () => {
    let calls = 0
    const pong = answerWith('"pong"')
    const path = await startScriptedServer((call, socket) => {
      if (++calls < 3) socket.destroy()
      else pong(call, socket)
    })
    expect(await runCli(['wait', path])).toMatchObject({ status: 0, stdout: '', stderr: '' })
    expect(calls).toBe(3)
  })

  test('ends with 5 at the deadline and tells the last reason', async () => {
    const directory = await temporaryDirectory()
    await leaveDeadSocket(join(directory, 'stale'))
    const stale = await runCli(['wait', join(directory, 'stale'), '--timeout', '300ms'])
    expect(stale).toMatchObject({ status: 5, stdout: '' })
    expect(stale.stderr).toMatch(
      /^postern: \[deadline_exceeded\] no answer at .* within 300 ms: \[no_listener\] .*stale.*\n$/,
    )
    const silent = await startScriptedServer(() => undefined)
    const { stderr } = await runCli(['wait', silent, '--timeout', '300ms', '--json'])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'deadline_exceeded', message: expect.stringContaining('something listens there') as string },
    })
  })

  test('ends at once with what does not pass', async () => {
    expect(await runCli(['wait', 'nix:/x'])).toMatchObject({ status: 2 })
    const babbling = await startScriptedServer((_, socket) => void socket.write('220 smtp ready\r\n'))
    expect(await runCli(['wait', babbling])).toMatchObject({ status: 6 })
    expect((await runCli(['wait', '/x', '--timeout', 'soon'])).stderr).toMatch(/--timeout takes a time/)
  })
})

describe.skipIf(onWindows)('postern stop', () => {
  test('stops a server of ours in order, at its admin address alone', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'service.mjs'), 'export const handlers = { now: () => 12 }')
    const args = ['serve', 'service.mjs', '--at', './s', '--admin', './admin']
    const server = startCli(args, { cwd })
    await server.written('/admin\n')
    expect((await runCli(['stop', './s'], { cwd })).status).toBe(7)
    expect((await runCli(['ping', './s'], { cwd })).status).toBe(0)
    expect((await runCli(['wait', './admin'], { cwd })).status).toBe(0)
    expect(await runCli(['stop', './admin'], { cwd })).toMatchObject({ status: 0, stdout: '', stderr: '' })
    expect(await server.result).toMatchObject({ status: 0 })
    await expect(lstat(join(cwd, 's'))).rejects.toThrow('ENOENT')
  })

  test('waits until the server has ended the connection', async () => {
    const called: string[] = []
    let end: () => void = () => undefined
    const path = await startScriptedServer((call, socket) => {
      called.push(call.method)
      answerWith('null')(call, socket)
      end = () => void socket.end()
    })
    const { child, result, written } = startCli(['stop', path, '-v'])
    await written('<-- ')
    expect({ status: child.exitCode, called }).toEqual({ status: null, called: ['rpc.stop'] })
    end()
    expect(await result).toMatchObject({ status: 0, stdout: '' })
  })

  test('says when the server does not end', async () => {
    const path = await startScriptedServer(answerWith('null'))
    const { status, stderr } = await runCli(['stop', path, '--timeout', '200ms'])
    expect(status).toBe(5)
    expect(stderr).toMatch(/agreed to stop, but holds the connection after 200 ms; calls may still run there/)
  })

  test('names the admin address where this one does not offer it', async () => {
    const path = await startCliServer()
    const { status, stderr } = await runCli(['stop', path])
    expect(status).toBe(7)
    expect(stderr).toMatch(/does not offer rpc\.stop; use the admin address of that server/)
  })
})
