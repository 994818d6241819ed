import { describe, expect, test } from 'vitest'
import { codeTraits, type ErrorCode, errorCodes } from '../core/errors.ts'
import { declaredErrorNumber, errorFromWire, wireError } from './json-rpc-codes.ts'

const codes = Object.keys(errorCodes) as ErrorCode[]
const crossing = codes.filter((code) => codeTraits(code).jsonRpc !== undefined)

/** What a number means that two codes share. */
const shared: Partial<Record<ErrorCode, ErrorCode>> = {
  unsupported_protocol: 'bad_message',
  frame_too_large: 'limit_exceeded',
}

describe('wireError', () => {
  test.each(crossing)('wireError tells %s by its number', (code) => {
    expect(wireError(code, 'why')).toEqual({ code: codeTraits(code).jsonRpc, message: 'why' })
  })

  test.each(codes.filter((code) => !crossing.includes(code)))(
    'wireError tells %s, which stays here, as internal',
    (code) => {
      expect(wireError(code, 'why')).toEqual({ code: -32603, message: 'why' })
    },
  )

  test('wireError has data only where it was given', () => {
    expect(wireError('internal', 'why', { a: 1 })).toEqual({ code: -32603, message: 'why', data: { a: 1 } })
    expect(wireError('internal', 'why', null)).toEqual({ code: -32603, message: 'why', data: null })
    expect('data' in wireError('internal', 'why')).toBe(false)
  })
})

describe('errorFromWire', () => {
  test.each(crossing)('errorFromWire gives %s back from a Postern peer', (code) => {
    const error = errorFromWire(wireError(code, 'why'), 'a.method', true)
    expect(error.code).toBe(shared[code] ?? code)
    expect(error.sentence).toBe(`a.method: why (code ${codeTraits(code).jsonRpc})`)
    expect(error.details).toEqual({ code: codeTraits(code).jsonRpc, message: 'why' })
  })

  test.each([
    [-32700, 'bad_frame'],
    [-32600, 'bad_message'],
    [-32601, 'unknown_method'],
    [-32602, 'invalid_params'],
    [-32603, 'internal'],
    [-32800, 'cancelled'],
  ] as const)('errorFromWire reads the standard %i from anyone as %s', (code, ours) => {
    for (const fromPostern of [true, false])
      expect(errorFromWire({ code, message: '' }, 'm', fromPostern).code).toBe(ours)
  })

  test('errorFromWire does not read a meaning of ours into the numbers of a foreign server', () => {
    for (let code = -32099; code <= -32000; code++) {
      expect(errorFromWire({ code, message: 'theirs' }, 'm', false).code).toBe('remote')
    }
    expect(errorFromWire({ code: -32001, message: 'resource not found' }, 'm', true).code).toBe('permission_denied')
  })

  test.each([declaredErrorNumber, 3, 0, 1, -1, -31_999, -32_100, -32_604, 4_001, 0.5, 1e300])(
    'errorFromWire keeps %d as remote, whoever sent it',
    (code) => {
      for (const fromPostern of [true, false]) {
        const wire = { code, message: 'execution reverted', data: '0x08c379a0' }
        const error = errorFromWire(wire, 'eth_call', fromPostern)
        expect(error.code).toBe('remote')
        expect(error.details).toEqual(wire)
        expect(error.sentence).toBe(`eth_call: execution reverted (code ${code})`)
      }
    },
  )

  test('errorFromWire says so where the other side gave no reason', () => {
    expect(errorFromWire({ code: 7, message: '' }, 'm', false).sentence).toBe(
      'm: the other side gave no reason (code 7)',
    )
  })
})
