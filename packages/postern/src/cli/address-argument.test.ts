import { describe, expect, test } from 'vitest'
import { takeAddress } from './address-argument.ts'
import { UsageError } from './usage-error.ts'

describe('takeAddress', () => {
  test.each([
    ['unix:/run/x', 'unix:/run/x'],
    ['local:node', 'local:node'],
    ['http+unix:/x', 'http+unix:/x'],
    ['unx:/typo', 'unx:/typo'],
    ['/run/x', 'unix:/run/x'],
    ['./x.sock', 'unix:./x.sock'],
    ['../x.sock', 'unix:../x.sock'],
    ['~/x.sock', 'unix:~/x.sock'],
    ['geth', 'geth'],
    ['anvil', 'anvil'],
  ])('takes %s for %s, whatever the fallback', (written, address) => {
    expect(takeAddress([written, 'm', '1'], 'local:other')).toEqual({ address, rest: ['m', '1'] })
  })

  test.each(['eth_blockNumber', 'node.info', 'textDocument/hover', 'x.sock', '', '$/cancelRequest'])(
    'takes %j for a method when there is a fallback',
    (method) => {
      expect(takeAddress([method, '1'], '/tmp/reth.ipc')).toEqual({
        address: 'unix:/tmp/reth.ipc',
        rest: [method, '1'],
      })
    },
  )

  test('says what an address is when there is none', () => {
    expect(() => takeAddress(['x.sock', 'm'], undefined)).toThrow(UsageError)
    expect(() => takeAddress(['x.sock', 'm'], '')).toThrow(/"x\.sock" is no address: write \.\/x\.sock/)
    expect(() => takeAddress([], undefined)).toThrow(/give an ADDRESS/)
  })
})
