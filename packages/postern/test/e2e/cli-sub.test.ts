/** `postern sub`. */

import { describe, expect, test } from 'vitest'
import { runCli, startCli } from './run-cli.ts'
import { failWith, publish, startScriptedServer } from './scripted-server.ts'

const end = '{"jsonrpc":"2.0","method":"t_subscription","params":{"subscription":"0x1","done":true}}\n'

describe.skipIf(process.platform === 'win32')('postern sub', () => {
  test('prints each item as one line and ends after --count', async () => {
    const path = await startScriptedServer(publish(['{"n":1}', '"two"', '3']))
    const { status, stdout, stderr } = await runCli(['sub', path, 't_subscribe', 'numbers', '--count', '2'])
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: '{"n":1}\n"two"\n',
      stderr: '',
    })
  })

  test('keeps all digits of whole numbers in an item', async () => {
    const path = await startScriptedServer(publish(['12345678901234567890', '{"n":-9007199254740993}']))
    const { stdout } = await runCli(['sub', path, 't_subscribe', '--count', '2'])
    expect(stdout).toBe('12345678901234567890\n{"n":-9007199254740993}\n')
  })

  test('sends its params', async () => {
    const seen: unknown[] = []
    const answer = publish(['1'])
    const path = await startScriptedServer((call, socket) => {
      seen.push([call.method, call.params])
      answer(call, socket)
    })
    await runCli(['sub', path, 't_subscribe', 'logs', '{"address":"0x5"}', '-n', '1'])
    expect(seen[0]).toEqual(['t_subscribe', ['logs', { address: '0x5' }]])
  })

  test('loses nothing of a burst', async () => {
    const items = Array.from({ length: 50_000 }, (_, index) => String(index))
    const path = await startScriptedServer(publish(items))
    const { status, stdout } = await runCli(['sub', path, 't_subscribe', '--count', '50000'])
    expect(status).toBe(0)
    expect(stdout).toBe(`${items.join('\n')}\n`)
  })

  test('ends with 0 when the server ends the subscription in order', async () => {
    const answer = publish(['1'])
    const path = await startScriptedServer((call, socket) => {
      answer(call, socket)
      socket.write(end)
    })
    expect(await runCli(['sub', path, 't_subscribe'])).toMatchObject({ status: 0, stdout: '1\n', stderr: '' })
  })

  test('ends with 3 when the server goes, after the last item', async () => {
    const answer = publish(['1', '2'])
    const path = await startScriptedServer((call, socket) => {
      answer(call, socket)
      socket.end()
    })
    const { status, stdout, stderr } = await runCli(['sub', path, 't_subscribe'])
    expect({ status, stdout }).toEqual({ status: 3, stdout: '1\n2\n' })
    expect(stderr).toMatch(/^postern: \[closed\] /)
  })

  test('ends as a refused call does', async () => {
    const path = await startScriptedServer(failWith({ code: -32601, message: 'no such stream' }))
    expect(await runCli(['sub', path, 't_subscribe'])).toMatchObject({ status: 7, stdout: '' })
  })

  test('ends with 5 when the answer does not come', async () => {
    const path = await startScriptedServer(() => undefined)
    expect(await runCli(['sub', path, 't_subscribe', '--timeout', '200ms'])).toMatchObject({ status: 5, stdout: '' })
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('ends by %s without a word', async (signal) => {
    const path = await startScriptedServer(publish(['1']))
    const { child, result, written } = startCli(['sub', path, 't_subscribe'])
    await written('1\n')
    child.kill(signal)
    expect(await result).toMatchObject({ signal, status: null, stdout: '1\n', stderr: '' })
  })
})
