import { expect, test } from 'vitest'
import { maxTimerMs } from './deadline.ts'
import { defaultLimits, type Limits, resolveLimits } from './limits.ts'

const names = Object.keys(defaultLimits) as (keyof Limits)[]
const mayBeZero = ['retries', 'maxWaiting', 'heartbeatMs', 'drainMs']

test('defaultLimits are the published ones', () => {
  expect(defaultLimits).toEqual({
    maxCallBytes: 16_777_216,
    maxAnswerBytes: 134_217_728,
    maxDepth: 64,
    maxContainers: 1_000_000,
    maxNames: 100_000,
    maxHeaderBytes: 8_192,
    maxHeaders: 32,
    maxMethodBytes: 256,
    maxIdBytes: 256,
    maxBatchCalls: 1_000,
    maxBatchAnswerBytes: 25_000_000,
    maxConnections: 1_024,
    maxConnectionsPerForeignUid: 256,
    maxUnauthenticated: 64,
    handshakeMs: 5_000,
    frameProgressMs: 30_000,
    maxRunning: 128,
    maxWaiting: 1_024,
    maxPending: 16_384,
    maxQueuedBytes: 16_777_216,
    maxQueuedFrames: 16_384,
    maxQueuedTotalBytes: 268_435_456,
    stallMs: 10_000,
    maxSubscriptions: 1_024,
    maxBufferedItems: 1_024,
    callMs: 30_000,
    connectMs: 5_000,
    retries: 5,
    retryMinMs: 50,
    retryMaxMs: 5_000,
    maxRestarts: 5,
    maxBlobBytes: 1_073_741_824,
    maxMappedBytes: 2_147_483_648,
    maxDescriptors: 64,
    heartbeatMs: 15_000,
    drainMs: 5_000,
  })
  expect(Object.isFrozen(defaultLimits)).toBe(true)
})

test('resolveLimits gives the defaults where nothing else is given', () => {
  expect(resolveLimits()).toEqual(defaultLimits)
  expect(resolveLimits({})).toEqual(defaultLimits)
  expect(resolveLimits({ maxCallBytes: undefined } as unknown as Partial<Limits>)).toEqual(defaultLimits)
})

test.each(names)('resolveLimits takes limits.%s from its least to its most and nothing else', (name) => {
  const least = mayBeZero.includes(name) ? 0 : 1
  const most = name.endsWith('Ms') ? maxTimerMs : Number.MAX_SAFE_INTEGER
  for (const value of [least, least + 1, most - 1, most]) {
    expect(resolveLimits({ [name]: value })).toEqual({ ...defaultLimits, [name]: value })
  }
  for (const value of [
    least - 1,
    most + 1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '5',
    5n,
    null,
    {},
    Symbol('5'),
  ]) {
    const given = { [name]: value } as unknown as Partial<Limits>
    expect(() => resolveLimits(given)).toThrow(TypeError)
    expect(() => resolveLimits(given)).toThrow(`limits.${name} must be a whole number from ${least} to ${most}`)
  }
})

test.each(['maxCallByte', 'toString', '__proto__', 'constructor'])(
  'resolveLimits refuses %s, naming what there is',
  (name) => {
    const given = JSON.parse(`{"${name}":1}`) as Partial<Limits>
    expect(() => resolveLimits(given)).toThrow(TypeError)
    expect(() => resolveLimits(given)).toThrow(`limits.${name} is not a limit; there are ${names.join(', ')}`)
  },
)

test('maxTimerMs is the longest time that Node waits', () => {
  expect(maxTimerMs).toBe(2 ** 31 - 1)
})
