import { describe, expect, test } from 'vitest'
import { type ErrorCode, errorCodes, PosternError } from '../core/errors.ts'
import { describeFailure, exitStatusOf } from './failure.ts'
import { UsageError } from './usage-error.ts'

const plain = { json: false, terminal: false }
const terminal = { json: false, terminal: true }
const json = { json: true, terminal: true }

/** The table that scripts rely on: a change here breaks them. */
const table: Readonly<Record<ErrorCode, number>> = {
  no_listener: 3,
  busy: 3,
  closed: 3,
  unknown_outcome: 3,
  address_in_use: 3,
  permission_denied: 4,
  peer_rejected: 4,
  bad_frame: 6,
  bad_message: 6,
  unsupported_protocol: 6,
  frame_too_large: 6,
  limit_exceeded: 6,
  slow_consumer: 6,
  overloaded: 6,
  deadline_exceeded: 5,
  cancelled: 130,
  unknown_method: 7,
  invalid_params: 1,
  internal: 1,
  remote: 1,
  missing_dependency: 2,
  not_supported: 2,
  bad_address: 2,
}

describe('exitStatusOf', () => {
  test.each(Object.entries(table))('ends %s with %i', (code, status) => {
    expect(exitStatusOf(new PosternError(code as ErrorCode, 'x'))).toBe(status)
  })

  test('knows every code, wrong use and defects', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(errorCodes).sort())
    expect(exitStatusOf(new UsageError('x'))).toBe(2)
    expect(exitStatusOf(new TypeError('x'))).toBe(1)
    expect(exitStatusOf('x')).toBe(1)
  })
})

describe('describeFailure', () => {
  const answered = new PosternError('remote', 'eth_call: reverted (code 3)', {
    details: { code: 3, message: 'reverted', data: { reason: 'no\u001b[31mpe', wei: 12345678901234567890n } },
  })

  test('puts the data of an error answer on its line, or below it at a terminal', () => {
    expect(describeFailure(answered, plain)).toBe(
      'postern: [remote] eth_call: reverted (code 3), data: {"reason":"no\\u001b[31mpe","wei":12345678901234567890}',
    )
    expect(describeFailure(answered, terminal).split('\n')).toEqual([
      'postern: [remote] eth_call: reverted (code 3)',
      '  data: {',
      '    "reason": "no\\u001b[31mpe",',
      '    "wei": 12345678901234567890',
      '  }',
    ])
  })

  test('is one line of JSON with all details for programs', () => {
    expect(describeFailure(answered, json)).toBe(
      '{"error":{"code":"remote","message":"eth_call: reverted (code 3)","details":{"code":3,"message":"reverted","data":{"reason":"no\\u001b[31mpe","wei":12345678901234567890}}}}',
    )
    expect(describeFailure(new UsageError('a\nb'), json)).toBe('{"error":{"code":"usage","message":"a\\nb"}}')
  })

  test('lets no text forge a line or reach the terminal', () => {
    const error = new PosternError('remote', 'a\r\npostern: [remote] forged\u009b2J')
    for (const style of [plain, terminal]) {
      expect(describeFailure(error, style)).toBe('postern: [remote] a\\u000d\\u000apostern: [remote] forged\\u009b2J')
    }
    expect(describeFailure(new UsageError('x\u001b[2J'), plain)).toBe('postern: x\\u001b[2J')
  })

  test('shortens data, which --json gives whole', () => {
    const error = new PosternError('remote', 'x', { details: { data: 'y'.repeat(100_000) } })
    expect(describeFailure(error, plain).length).toBeLessThan(5_000)
    expect(describeFailure(error, plain)).toContain('--json gives all of it')
    expect(describeFailure(error, json).length).toBeGreaterThan(100_000)
  })

  test('names the option where the message names that of the library', () => {
    const error = new PosternError('deadline_exceeded', 'm: no answer; give limits.callMs more')
    expect(describeFailure(error, plain)).toMatch(/\(--timeout TIME waits longer\)$/)
  })

  test('tells a defect as one line with its place', () => {
    const line = describeFailure(new RangeError('boom\nboom'), terminal)
    expect(line).toMatch(
      /^postern: \[internal\] RangeError: boom\\u000aboom \(at .*failure\.test\.ts.*\); this is a defect of postern$/,
    )
    expect(describeFailure(undefined, plain)).toBe('postern: [internal] threw undefined')
  })
})
