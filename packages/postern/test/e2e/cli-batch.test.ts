/** `postern batch`. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { startCliServer } from './cli-server.ts'
import { runCli, runShell } from './run-cli.ts'
import { type ScriptedCall, startScriptedServer } from './scripted-server.ts'

/** A server that notes the size of each frame of calls and answers each call with its first param. */
async function startCounting(): Promise<{ readonly path: string; readonly sizes: readonly number[] }> {
  const sizes: number[] = []
  const path = await startScriptedServer((frame, socket) => {
    const calls = frame as unknown as readonly (ScriptedCall & { readonly params: readonly unknown[] })[]
    sizes.push(calls.length)
    socket.write(`${JSON.stringify(calls.map(({ id, params: [result] }) => ({ jsonrpc: '2.0', id, result })))}\n`)
  })
  return { path, sizes }
}

describe.skipIf(process.platform === 'win32')('postern batch', () => {
  test('prints an outcome a call, in their order', async () => {
    const path = await startCliServer()
    const input = '["echo", [1]]\n\n {"jsonrpc":"2.0","id":7,"method":"echo","params":{"a":"x"}} \nnothing\n"echo"\n'
    const { status, stdout, stderr } = await runCli(['batch', path], { input })
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/stdin, line 5: "echo" is no call/) as string,
    })
    expect(stdout).toBe('')
    const good = await runCli(['batch', path], { input: input.replace('"echo"\n', '["echo","big"]') })
    expect(good).toMatchObject({
      status: 0,
      stdout: '{"result":1}\n{"result":{"a":"x"}}\n{"result":null}\n{"result":"big"}\n',
      stderr: '',
    })
  })

  test('takes calls from arguments and files', async () => {
    const path = await startCliServer()
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'calls.jsonl'), '["echo",[2]]\r\n["echo",[3]]\r\n')
    const { stdout } = await runCli(['batch', path, '["echo",[1]]', '@calls.jsonl', '-', 'nothing'], {
      cwd,
      input: '["echo",[4]]',
    })
    expect(stdout).toBe('{"result":1}\n{"result":2}\n{"result":3}\n{"result":4}\n{"result":null}\n')
  })

  test('ends with 1 where a call was answered with an error, which is printed as it came', async () => {
    const path = await startCliServer()
    const args = ['batch', path, 'poor', 'no.such', '["echo",[12345678901]]', 'broken']
    const { status, stdout, stderr } = await runCli(args)
    expect(status).toBe(1)
    expect(stderr).toBe('postern: [remote] 3 of 4 calls were answered with an error\n')
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toBe(
      '{"error":{"code":-32000,"message":"not enough","data":{"code":"insufficient_funds","details":{"missing":12}}}}',
    )
    expect(lines.map((line) => (JSON.parse(line) as { error?: { code: number } }).error?.code)).toEqual([
      -32000,
      -32601,
      undefined,
      -32603,
    ])
    const json = await runCli([...args, '--json'])
    expect(json).toMatchObject({ status: 1, stdout })
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'remote', message: '3 of 4 calls were answered with an error' },
    })
  })

  test('makes batches of at most limits.maxBatchCalls', async () => {
    const { path, sizes } = await startCounting()
    const calls = Array.from({ length: 2_500 }, (_, index) => JSON.stringify(['m', [index]]))
    const { stdout } = await runCli(['batch', path], { input: calls.join('\n') })
    expect(sizes).toEqual([1_000, 1_000, 500])
    expect(stdout).toBe(calls.map((_, index) => `{"result":${index}}\n`).join(''))
    await runCli(['batch', path, '--limit', 'maxBatchCalls=2'], { input: calls.slice(0, 5).join('\n') })
    expect(sizes.slice(3)).toEqual([2, 2, 1])
  })

  test('prints what it knows when the connection is lost, and ends with its status', async () => {
    const path = await startScriptedServer((_, socket) => void socket.destroy())
    const { status, stdout, stderr } = await runCli(['batch', path, 'a', 'b', '--json'])
    expect(status).toBe(3)
    expect(stdout.split('\n').map((line) => line.slice(0, 33))).toEqual([
      '{"error":{"code":"unknown_outcome',
      '{"error":{"code":"unknown_outcome',
      '',
    ])
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'unknown_outcome' } })
    const late = await runCli(['batch', await startCliServer(), 'never', '--timeout', '200ms'])
    expect(late).toMatchObject({
      status: 5,
      stdout: expect.stringMatching(/^\{"error":\{"code":"deadline_exceeded"/) as string,
    })
  })

  test('keeps the digits of whole numbers, and refuses those that it would round', async () => {
    const path = await startScriptedServer((frame, socket) => {
      const [{ id } = { id: 0 }] = frame as unknown as ScriptedCall[]
      socket.write(`[{"jsonrpc":"2.0","id":${id},"result":123456789012345678901}]\n`)
    })
    expect((await runCli(['batch', path, 'm'])).stdout).toBe('{"result":123456789012345678901}\n')
    const refused = await runCli(['batch', path, 'm', '["m",[12345678901234567890]]'])
    expect(refused).toMatchObject({ status: 2, stdout: '' })
    expect(refused.stderr).toMatch(/would be rounded/)
  })

  test('stops when its reader has gone', async () => {
    const { path } = await startCounting()
    const script = 'seq 100000 | sed "s/.*/[\\"m\\",[&]]/" | { "$@"; echo "status $?" >&2; } | head -n 1'
    expect(await runShell(script, ['batch', path])).toMatchObject({ stdout: '{"result":1}\n', stderr: 'status 0\n' })
  })

  test.each<[string, string, RegExp]>([
    ['nothing at all', '\n\n', /there is no call: give one a line/],
    ['what is not JSON', '["a"]\n["b"', /stdin, line 2: \["b" is neither the name of a method nor JSON/],
    ['a number', '5', /stdin, line 1: 5 is no call/],
    ['an array of three', '["a",[],1]', /is no call/],
    ['an array without a method', '[[]]', /is no call/],
    ['an object with a slip', '{"method":"a","param":[1]}', /is no call; write METHOD/],
    ['what is too deep', `["a",${'['.repeat(100_000)}${']'.repeat(100_000)}]`, /cannot be sent/],
    ['bytes that are no text', '\ud800', /is neither/],
  ])('ends with 2 for %s, before anything is sent', async (_, input, message) => {
    const { status, stdout, stderr } = await runCli(['batch', '/nowhere'], { input })
    expect({ status, stdout, lines: stderr.split('\n').length }, stderr).toEqual({ status: 2, stdout: '', lines: 2 })
    expect(stderr).toMatch(message)
  })
})
