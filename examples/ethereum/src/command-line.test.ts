import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from 'postern'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Anvil, findAnvil, startAnvil } from './anvil.ts'

const cli = fileURLToPath(new URL('../../../packages/postern/dist/cli/main.js', import.meta.url))
const anvilPath = findAnvil()
if (anvilPath === undefined) {
  process.stderr.write(`skipped: @foundry-rs/anvil has no program for ${process.platform}-${process.arch} here\n`)
}

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code?: number
}

/** Runs `postern` to its end; a status other than 0 is a `code`. */
async function postern(...args: readonly string[]): Promise<Ended> {
  return await promisify(execFile)(process.execPath, [cli, ...args]).catch((error: unknown) => error as Ended)
}

describe.skipIf(anvilPath === undefined)('the command line before a real node', () => {
  let anvil: Anvil | undefined
  let address = ''

  beforeAll(async () => {
    anvil = await startAnvil()
    address = anvil.ipcAddress
  })
  afterAll(() => anvil?.stop())

  test('postern call prints an answer, and tells errors by their status', async () => {
    expect(await postern('call', address, 'eth_chainId')).toEqual({ stdout: '"0x7a69"\n', stderr: '' })
    const balance = await postern(
      'call',
      address,
      'eth_getBalance',
      '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
      'latest',
    )
    expect(balance.stdout).toBe('"0x21e19e0c9bab2400000"\n')
    const unknown = await postern('call', address, 'eth_nonsense')
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toContain('eth_nonsense')
  })

  test('postern sub prints a block as it is mined', async () => {
    const sub = spawn(process.execPath, [cli, 'sub', address, 'eth_subscribe', 'newHeads', '--count', '2', '-v'])
    let [stdout, stderr] = ['', '']
    sub.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    sub.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const closed = once(sub, 'close')
    const node = await connect(address)
    // The answer that names the subscription is shown on stderr.
    while (!stderr.includes('<--')) await once(sub.stderr, 'data')
    await node.call('evm_mine')
    await node.call('evm_mine')
    expect(await closed).toEqual([0, null])
    await node.close()
    const numbers = stdout.trimEnd().split('\n')
    expect(numbers.map((line) => (JSON.parse(line) as { number: string }).number)).toEqual(['0x1', '0x2'])
  })
})
