import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, PosternError } from '../core/errors.ts'
import { mayHaveRun, ProviderRpcError, toProviderError } from './provider-error.ts'

const lost = new PosternError('unknown_outcome', 'eth_sendTransaction was sent and not answered')
const answered = new PosternError('remote', 'eth_call: reverted (code 3)', {
  details: { code: 3, message: 'reverted', data: '0x08' },
})

describe('ProviderRpcError', () => {
  it('ProviderRpcError is the answer of the node, where there was one', () => {
    const error = new ProviderRpcError(answered)
    expect(error).toMatchObject({
      name: 'ProviderRpcError',
      code: 3,
      message: 'reverted',
      data: '0x08',
      cause: answered,
    })
    const bare = new PosternError('internal', 'x', { details: { code: -32_603, message: '' } })
    expect(Object.keys(new ProviderRpcError(bare))).not.toContain('data')
  })

  it('ProviderRpcError has one of two codes of its own, neither of which viem takes as a reason to send again', () => {
    const codes = Object.keys(errorCodes) as ErrorCode[]
    const numbers = new Map(codes.map((code) => [code, new ProviderRpcError(new PosternError(code, 'x')).code]))
    expect([...numbers].filter(([, number]) => number === -32_002).map(([code]) => code)).toEqual([
      'limit_exceeded',
      'overloaded',
      'deadline_exceeded',
      'cancelled',
    ])
    expect(new Set(numbers.values())).toEqual(new Set([4900, -32_002]))
    expect(new ProviderRpcError(lost).data).toEqual({ postern: 'unknown_outcome' })
  })

  it('toProviderError leaves wrong use as it is', () => {
    const wrong = new TypeError('timeoutMs is positive')
    expect(toProviderError(wrong)).toBe(wrong)
    expect(toProviderError('text')).toEqual(new Error('text'))
  })
})

describe('mayHaveRun', () => {
  it.each<[string, unknown]>([
    ['an error of a connection', lost],
    ['an error of a provider', new ProviderRpcError(lost)],
    ['one that viem wraps', new Error('viem', { cause: new Error('viem', { cause: new ProviderRpcError(lost) }) })],
    ['one that ethers copies', { code: 'UNKNOWN_ERROR', error: { code: 4900, data: { postern: 'unknown_outcome' } } }],
    ['one of a call by ethers', { info: { error: { code: -32_002, data: { postern: 'deadline_exceeded' } } } }],
    ['one that was given up', new PosternError('cancelled', 'x')],
    ['one whose answer was garbage', new PosternError('bad_frame', 'x')],
  ])('mayHaveRun is true for %s', (_, error) => {
    expect(mayHaveRun(error)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['an answer of the node', answered],
    ['the same from a provider', new ProviderRpcError(answered)],
    ['an internal error of the node', new PosternError('internal', 'x', { details: { code: -32_603, message: 'x' } })],
    ['a call that was never sent', new PosternError('closed', 'x')],
    ['a node that is not there', { error: { data: { postern: 'no_listener' } } }],
    ['any other error', new Error('x', { cause: 'text' })],
    ['no error', undefined],
    ['null', null],
    ['text', 'text'],
  ])('mayHaveRun is false for %s', (_, error) => {
    expect(mayHaveRun(error)).toBe(false)
  })

  it('mayHaveRun ends on errors that cause each other', () => {
    const one: { cause?: unknown } = {}
    one.cause = { cause: one }
    expect(mayHaveRun(one)).toBe(false)
  })
})
