import { expect, it } from 'vitest'
import { isIdempotentMethod } from './idempotent-methods.ts'

it.each([
  'debug_getRawBlock',
  'debug_traceCall',
  'debug_traceTransaction',
  'eth_blockNumber',
  'eth_call',
  'eth_chainId',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByNumber',
  'eth_getLogs',
  'eth_getTransactionReceipt',
  'eth_maxPriorityFeePerGas',
  'net_version',
  'trace_block',
  'txpool_status',
  'web3_clientVersion',
])('%s may be sent again', (method) => {
  expect(isIdempotentMethod(method)).toBe(true)
})

it.each([
  'admin_addPeer',
  'anvil_setBalance',
  'debug_setHead',
  'debug_traceBlockToFile',
  'engine_newPayloadV4',
  'eth_getFilterChanges',
  'eth_getWork',
  'eth_newBlockFilter',
  'eth_newFilter',
  'eth_sendRawTransaction',
  'eth_sendRawTransactionSync',
  'eth_sendTransaction',
  'eth_sign',
  'eth_signTransaction',
  'eth_submitWork',
  'eth_subscribe',
  'eth_uninstallFilter',
  'evm_increaseTime',
  'evm_mine',
  'evm_snapshot',
  'hardhat_mine',
  'miner_start',
  'net_subscribe',
  'personal_sign',
  'personal_unlockAccount',
  'somebody_else',
  'txpool_setGasPrice',
])('%s is sent at most once', (method) => {
  expect(isIdempotentMethod(method)).toBe(false)
})
