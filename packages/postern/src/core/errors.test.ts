import { expect, test } from 'vitest'
import { codeTraits, type ErrorCode, errorCodes, isPosternError, PosternError } from './errors.ts'

/** The stable table of codes: what crosses the wire, whether trying again can help, the exit status. */
const table: Record<ErrorCode, readonly [jsonRpc: number | undefined, retryable: boolean, exit: number]> = {
  no_listener: [undefined, true, 3],
  busy: [undefined, true, 3],
  closed: [-32005, true, 3],
  unknown_outcome: [undefined, false, 3],
  address_in_use: [undefined, false, 3],
  permission_denied: [-32001, false, 4],
  peer_rejected: [undefined, false, 4],
  bad_frame: [-32700, false, 6],
  bad_message: [-32600, false, 6],
  unsupported_protocol: [-32600, false, 6],
  frame_too_large: [-32006, false, 6],
  limit_exceeded: [-32006, false, 6],
  slow_consumer: [undefined, true, 6],
  overloaded: [-32002, true, 6],
  deadline_exceeded: [-32003, false, 5],
  cancelled: [-32800, false, 130],
  unknown_method: [-32601, false, 7],
  invalid_params: [-32602, false, 1],
  internal: [-32603, false, 1],
  remote: [undefined, false, 1],
  missing_dependency: [undefined, false, 2],
  not_supported: [undefined, false, 2],
  bad_address: [undefined, false, 2],
}

test('errorCodes is the closed set that the table says', () => {
  expect(Object.keys(errorCodes).sort()).toEqual(Object.keys(table).sort())
})

test.each(Object.keys(table) as ErrorCode[])('the traits of %s are those of the table', (code) => {
  const [jsonRpc, retryable, exit] = table[code]
  expect(codeTraits(code)).toEqual(jsonRpc === undefined ? { retryable, exit } : { jsonRpc, retryable, exit })
  expect(new PosternError(code, 'x').retryable).toBe(retryable)
})

test('PosternError puts its code before its sentence and gives both back', () => {
  const error = new PosternError('frame_too_large', 'call of 70 MB exceeds limits.maxCallBytes (16 MB)')
  expect(error.message).toBe('[frame_too_large] call of 70 MB exceeds limits.maxCallBytes (16 MB)')
  expect(error.sentence).toBe('call of 70 MB exceeds limits.maxCallBytes (16 MB)')
  expect(error.name).toBe('PosternError')
  expect(error).toBeInstanceOf(Error)
  expect(String(error)).toContain('PosternError: [frame_too_large]')
})

test('PosternError keeps details and cause where they were given, and only there', () => {
  const cause = new Error('below')
  const full = new PosternError('closed', 'gone', { details: { limit: 'x' }, cause })
  expect(full.details).toEqual({ limit: 'x' })
  expect(full.cause).toBe(cause)
  const bare = new PosternError('closed', 'gone')
  expect('details' in bare).toBe(false)
  expect('cause' in bare).toBe(false)
  expect(new PosternError('closed', 'gone', { details: null }).details).toBeNull()
})

test('isPosternError tells by code where one is given', () => {
  const error = new PosternError('closed', 'gone')
  expect(isPosternError(error)).toBe(true)
  expect(isPosternError(error, 'closed')).toBe(true)
  expect(isPosternError(error, 'busy')).toBe(false)
})

test.each([undefined, null, 'closed', 7, {}, { code: 'closed' }, new Error('[closed] gone'), () => undefined])(
  'isPosternError says no to %s',
  (value) => {
    expect(isPosternError(value)).toBe(false)
    expect(isPosternError(value, 'closed')).toBe(false)
  },
)

test('isPosternError knows the errors of another copy of the package', async () => {
  const copy = (await import(/* @vite-ignore */ `${'./errors.ts'}?copy`)) as typeof import('./errors.ts')
  const error = new copy.PosternError('busy', 'try later')
  expect(copy.PosternError).not.toBe(PosternError)
  expect(error).not.toBeInstanceOf(PosternError)
  expect(isPosternError(error)).toBe(true)
  expect(isPosternError(error, 'busy')).toBe(true)
  expect(copy.isPosternError(new PosternError('closed', 'gone'), 'closed')).toBe(true)
})

test('the mark of a PosternError is not seen in its members', () => {
  const error = new PosternError('closed', 'gone', { details: 1 })
  expect(Object.keys(error).sort()).toEqual(['code', 'details', 'name'])
  expect(Object.getOwnPropertySymbols({ ...error })).toEqual([])
})
