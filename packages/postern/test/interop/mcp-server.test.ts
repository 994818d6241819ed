/** A real MCP server, spoken to as its clients do: JSON-RPC 2.0, one message a line, over stdin and stdout. */

import { createRequire } from 'node:module'
import { expect, onTestFinished, test } from 'vitest'
import { connect, type Connection, type SpawnAddress } from '../../src/index.ts'
import { until } from '../../src/testing/until.ts'

const server = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js')
const protocolVersion = '2025-06-18'

/** Starts the server and greets it. */
async function open(address: Partial<SpawnAddress> = {}, onRoots = (): void => undefined): Promise<Connection> {
  const connection = await connect(
    { spawn: [process.execPath, server, 'stdio'], over: 'stdio', ...address },
    {
      handlers: {
        'roots/list': () => {
          onRoots()
          return { roots: [{ uri: 'file:///srv', name: 'srv' }] }
        },
        'notifications/message': () => undefined,
        'notifications/tools/list_changed': () => undefined,
      },
    },
  )
  onTestFinished(() => connection.close())
  const answer = await connection.call('initialize', {
    protocolVersion,
    capabilities: { roots: {} },
    clientInfo: { name: 'postern', version: '1' },
  })
  expect(answer).toMatchObject({ protocolVersion, serverInfo: { version: expect.any(String) } })
  await connection.notify('notifications/initialized')
  return connection
}

test('an MCP server asks for roots, lists its tools and runs them', async () => {
  let asked = 0
  const connection = await open({}, () => void asked++)
  const { tools } = (await connection.call('tools/list', {})) as { tools: { name: string }[] }
  expect(tools.map(({ name }) => name)).toContain('echo')
  expect(await connection.call('tools/call', { name: 'echo', arguments: { message: 'é "quoted"\n' } })).toMatchObject({
    content: [{ type: 'text', text: 'Echo: é "quoted"\n' }],
  })
  await until(() => asked > 0)
  await expect(connection.call('no/such/method')).rejects.toMatchObject({ code: 'unknown_method' })
})

test('an MCP server ends with the connection', async () => {
  let said = ''
  const connection = await open({ onStderr: (text) => (said += text) })
  const { pid = 0 } = connection.peer
  expect(process.kill(pid, 0)).toBe(true)
  await connection.close()
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(said).not.toBe('')
})
