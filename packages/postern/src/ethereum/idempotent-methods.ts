/**
 * Which methods of a node only read, so that one whose outcome is unknown may be sent again.
 *
 * A list of what is allowed: a method that is not on it runs at most once. What sends, signs, mines or sets is not, nor
 * what has a place in a sequence: `eth_getFilterChanges` gives each change once.
 */

const names: ReadonlySet<string> = new Set([
  'debug_accountRange',
  'debug_storageRangeAt',
  'eth_accounts',
  'eth_baseFee',
  'eth_blobBaseFee',
  'eth_blockNumber',
  'eth_call',
  'eth_callMany',
  'eth_chainId',
  'eth_coinbase',
  'eth_config',
  'eth_createAccessList',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_maxPriorityFeePerGas',
  'eth_mining',
  'eth_pendingTransactions',
  'eth_protocolVersion',
  'eth_simulateV1',
  'eth_syncing',
  'rpc_modules',
  'txpool_content',
  'txpool_contentFrom',
  'txpool_inspect',
  'txpool_status',
])

const prefixes: readonly string[] = ['debug_getRaw', 'debug_trace', 'eth_get', 'net_', 'ots_', 'trace_', 'web3_']

const exceptions: ReadonlySet<string> = new Set([
  // Gives what is new since the last time it was asked.
  'eth_getFilterChanges',
  // Hands out work to miners.
  'eth_getWork',
  // Writes a file at the node.
  'debug_traceBlockToFile',
])

/** Whether running the method twice is as good as once. */
export function isIdempotentMethod(method: string): boolean {
  if (exceptions.has(method) || method.endsWith('subscribe')) return false
  return names.has(method) || prefixes.some((prefix) => method.startsWith(prefix))
}
