/**
 * What a viem client sees of a node that is killed and started again: blocks go on, the hole between them is told, and
 * every call settles.
 */

import { type IpcTransport, ipcTransport } from 'postern/ethereum'
import {
  createTestClient,
  type PublicActions,
  publicActions,
  type TestClient,
  type WalletActions,
  walletActions,
} from 'viem'
import type { Output } from './output.ts'
import { RestartableAnvil } from './restartable-anvil.ts'
import { RestartLog } from './restart-log.ts'
import { until } from './until.ts'

/** How often the node is killed, and where it is told what happens. */
export interface RestartOptions {
  readonly restarts: number
  readonly output: Output
  /** Stops the node, and with it the job, when it aborts. */
  readonly signal?: AbortSignal
}

/** One client for all that happens. */
type Client = TestClient<'anvil', IpcTransport> & PublicActions<IpcTransport> & WalletActions

/** Kills the node and starts it again, as often as is wanted, below one client that watches blocks. */
export async function runRestarts({ restarts, output, signal }: RestartOptions): Promise<RestartLog> {
  const log = new RestartLog(output)
  await using anvil = await RestartableAnvil.start(signal)
  const client = watchingClient(anvil.address, log)
  const close = (): Promise<void> => client.transport.provider.close()
  // What waits for the node is told at once that it will not come back.
  signal?.addEventListener('abort', () => void close(), { once: true })
  try {
    log.say(`node started, process ${anvil.pid}; a viem client watches its blocks`)
    await until('the subscription', () => log.methods.includes('eth_subscribe'))
    await mineUntilTold(client, log)
    for (let restart = 1; restart <= restarts; restart++) {
      const calls = await killUnderCalls(client, anvil, log)
      await anvil.restart()
      log.say(`node started again, process ${anvil.pid}`)
      await Promise.all(calls)
      await until('the gap', () => log.told.filter((what) => what === 'gap').length === restart)
      await mineUntilTold(client, log)
    }
    return log
  } finally {
    await close()
  }
}

function watchingClient(address: string, log: RestartLog): Client {
  const transport = ipcTransport(address, {
    // So long a call waits for a node that restarts.
    limits: { connectMs: 30_000 },
    onGap: ({ received }) => log.tell('gap', ` (after ${received} heads: what came meanwhile is missing)`),
    tap: { frame: (direction, frame) => direction === 'out' && log.sent(String(frame)), close: () => undefined },
  })
  const client = createTestClient({ mode: 'anvil', transport }).extend(publicActions).extend(walletActions)
  client.transport.provider.on('disconnect', ({ message }) => log.say(`disconnected: ${message}`))
  client.watchBlocks({
    onBlock: ({ number }) => log.tell(`block ${number}`),
    onError: (error) => log.tell(`error: ${error.message}`),
  })
  return client
}

async function mineUntilTold(client: Client, log: RestartLog): Promise<void> {
  const { length } = log.told
  await client.mine({ blocks: 1 })
  await until('the block', () => log.told.length > length)
}

/** Kills the node under a read and a transaction, and reads once more. These are the calls, with their ends noted. */
async function killUnderCalls(client: Client, anvil: RestartableAnvil, log: RestartLog): Promise<Promise<void>[]> {
  const [account] = await client.getAddresses()
  if (account === undefined) throw new Error('anvil has no accounts')
  const sent = log.methods.length
  // Stopped first: both calls are sent, and neither is answered.
  await anvil.freeze()
  const read = log.call('read under way', client.getGasPrice())
  const transfer = client.sendTransaction({ account, to: account, value: 1n, chain: null })
  const transaction = log.call('transaction under way', transfer)
  await until('calls under way', () => log.methods.length === sent + 2)
  await anvil.kill()
  log.say('node killed, with a read and a transaction under way')
  // Only a read may be sent twice, so this one is over already.
  await transaction
  return [read, log.call('read while the node is away', client.getChainId())]
}
