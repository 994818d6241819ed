/** `postern list` and `describe`: what a server says of itself. And `sub`, by the names that it says. */

import { describe, expect, test } from 'vitest'
import { until } from '../../src/testing/until.ts'
import { startDescribedServer } from './described-server.ts'
import { runCli, startCli, startInTerminal, whyNoTerminal } from './run-cli.ts'
import { answerWith, failWith, startScriptedServer } from './scripted-server.ts'

const onWindows = process.platform === 'win32'

/** What the program shows on a terminal. */
async function shown(args: readonly string[]): Promise<string> {
  const { stdout } = await startInTerminal(args, { env: { NO_COLOR: '1' } }).result
  return stdout.replaceAll('\r\n', '\n')
}

describe.skipIf(onWindows)('postern list', () => {
  test('gives name, kind and summary with tabs between them in a pipe', async () => {
    const { path, adminPath } = await startDescribedServer()
    const { status, stdout, stderr } = await runCli(['list', path])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      'node.info\tmethod\tTells what the node is',
      'node.transfer\tmethod\t',
      'node.add\tmethod\t',
      'node.double\tmethod\t',
      'node.tree\tmethod\t',
      'node.anything\tmethod\t',
      'node.blocks\tstream\tBlocks as they come',
      'node.joined\tevent\t',
      '',
    ])
    expect((await runCli(['list', adminPath])).stdout).toContain('node.shutdown\tmethod\t\n')
  })

  test('aligns them on a terminal', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const { path } = await startDescribedServer()
    const text = await shown(['list', path])
    expect(text).toContain('node.info      method  Tells what the node is\nnode.transfer  method\n')
    expect(text).toContain('node.blocks    stream  Blocks as they come\n')
  })

  test.each<[string, unknown]>([
    ['knows no such method, as geth', { code: -32601, message: 'the method rpc.discover does not exist' }],
    ['understands it otherwise, as anvil', { code: -32602, message: 'data did not match any variant' }],
  ])('says that a server is not Postern which %s', async (_, error) => {
    const path = await startScriptedServer(failWith(error))
    for (const command of ['list', 'describe', 'types']) {
      const { status, stdout, stderr } = await runCli([command, path])
      expect({ status, stdout }).toEqual({ status: 7, stdout: '' })
      expect(stderr).toMatch(
        /^postern: \[unknown_method\] unix:.* does not describe itself, so it is not Postern \(rpc\.discover: .*\); postern call and sub need no description\n$/,
      )
    }
  })

  test('refuses what is no description', async () => {
    for (const answer of ['null', '[]', '{"methods":{}}', '"pong"']) {
      const { status, stderr } = await runCli(['list', await startScriptedServer(answerWith(answer))])
      expect({ status, stderr }).toEqual({
        status: 6,
        stderr: expect.stringContaining('is no OpenRPC document') as string,
      })
    }
    const odd =
      '{"methods":[null,5,{"name":7},{"name":""},{"name":"a","params":{},"result":3,"errors":[1]}],"x-streams":4}'
    expect((await runCli(['list', await startScriptedServer(answerWith(odd))])).stdout).toBe('a\tmethod\t\n')
  })
})

describe.skipIf(onWindows)('postern describe', () => {
  test('gives the document, or a part of it, as JSON in a pipe', async () => {
    const { path } = await startDescribedServer()
    const whole = JSON.parse((await runCli(['describe', path])).stdout) as { openrpc: string; methods: unknown[] }
    expect(whole).toMatchObject({ openrpc: '1.3.2', 'x-contract': { name: 'node', separator: '.' } })
    const part = await runCli(['describe', path, 'node.transfer'])
    expect(part.stdout.split('\n')).toHaveLength(2)
    expect(whole.methods).toContainEqual(JSON.parse(part.stdout))
    expect(JSON.parse((await runCli(['describe', path, 'node.joined'])).stdout)).toMatchObject({ name: 'node.joined' })
  })

  test('names the nearest where there is no such method', async () => {
    const { path } = await startDescribedServer()
    const { status, stderr } = await runCli(['describe', path, 'node.inof'])
    expect(status).toBe(7)
    expect(stderr).toMatch(/has no "node\.inof"; did you mean node\.info\?\n$/)
    expect((await runCli(['describe', path, 'shutdown'])).stderr).toMatch(/postern list unix:.* tells what there is/)
    expect((await runCli(['describe', path, 'a', 'b'])).stderr).toMatch(/describe takes one METHOD, so "b" is too many/)
  })

  test('shows signatures on a terminal', async ({ skip }) => {
    const why = whyNoTerminal()
    if (why !== undefined) skip(why)
    const { path } = await startDescribedServer()
    expect(await shown(['describe', path])).toBe(`Methods
  node.info(): { version: string; peers: number }
      Tells what the node is
  node.transfer({ to: string; amount: number; memo?: string }): { kind: 'done'; receipt: string } | { kind: 'later'; at: number | null }
  node.add(param1: number, param2: number): number
  node.double(value: number): number
  node.tree({ depth?: number }): { name: string; kids: NodeTree[] }
  node.anything(): unknown

Streams
  node.blocks({ from: number }): stream of Block
      Blocks as they come

Events
  node.joined: [string, 'in' | 'out']

Types
  type NodeTree = { name: string; kids: NodeTree[] }
  type Block = {
    number: number
    /** Of the header. */
    hash: string
  }
`)
    expect(
      await shown(['describe', path, 'node.transfer']),
    ).toBe(`node.transfer({ to: string; amount: number; memo?: string }): { kind: 'done'; receipt: string } | { kind: 'later'; at: number | null }

Params
  to      string
  amount  number
  memo    string, optional

Errors
  insufficient_funds  { missing: number }
  closed_account

On the command line
  postern call unix:${path} node.transfer to=… amount=… memo=…
`)
    expect(JSON.parse(await shown(['describe', path, 'node.info', '--raw']))).toMatchObject({ name: 'node.info' })
  })
})

describe.skipIf(onWindows)('postern sub', () => {
  test('takes the name of a stream, and sets its pace', async () => {
    const { path } = await startDescribedServer()
    const { status, stdout } = await runCli(['sub', path, 'node.blocks', 'from=5', '-n', '2'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{"number":5,"hash":"0x5"}\n{"number":6,"hash":"0x6"}\n' })
    const all = await runCli(['sub', path, 'node.blocks', '{"from":1}', '-v'])
    expect(all.stdout.split('\n')).toHaveLength(1_001)
    expect(all.stderr).toContain('"method":"rpc.credit"')
  })

  test('takes the name of an event', async () => {
    const server = await startDescribedServer()
    const { result, written } = startCli(['sub', server.path, 'node.joined', '-n', '1', '-v'])
    await written('<-- ')
    server.join('alice')
    expect(await result).toMatchObject({ status: 0, stdout: '["alice","in"]\n' })
  })

  test('takes the name of an Ethereum feed, without credit', async () => {
    const asked: unknown[] = []
    const path = await startScriptedServer(({ id, method, params }, socket) => {
      asked.push([method, params])
      socket.write(`{"jsonrpc":"2.0","id":${id},"result":"0x1"}\n`)
      socket.write(
        '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{"number":"0x9"}}}\n',
      )
    })
    expect((await runCli(['sub', path, 'eth_newHeads', '-n', '1'])).stdout).toBe('{"number":"0x9"}\n')
    await until(() => asked.length > 0)
    expect(asked[0]).toEqual(['eth_subscribe', ['newHeads']])
  })
})
