/**
 * What every framing must do, as cases that any test runner can run.
 *
 * @example
 * ```ts
 * for (const { title, run } of framingContract({ name: 'newline', framing: newline, frames, frameOf })) it(title, run)
 * ```
 */

import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { isPosternError, PosternError } from '../core/errors.ts'
import type { FrameDecoder, FrameLimits, FrameSink, Framing } from '../framing/framing.ts'
import type { ContractCase } from './contract-case.ts'
import { countedBuffer, type Looks } from './counted-buffer.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** What a framing gives to the suite. */
export interface FramingHarness {
  readonly name: string
  readonly framing: Framing
  /** Some frames that it carries: small ones, together not much over 1 KB, the more awkward the better. */
  readonly frames: readonly Buffer[]
  /** A frame of exactly this many bytes, 16 or more; one part is a third of a large one, where parts have a size. */
  readonly frameOf: (bytes: number) => Buffer
  /** Promises that this framing does not make, each with the reason. */
  readonly lacks?: Partial<Record<FramingPromise, string>>
}

/** The promises of a framing. */
export type FramingPromise =
  | 'wholeness under any cut'
  | 'encoding of text'
  | 'separate decoders'
  | 'the limit on bytes'
  | 'refusal at the header'
  | 'linear work'
  | 'the end'
  | 'the head of a frame'
  | 'no fault but its own'

/** The cases. */
export function framingContract(harness: FramingHarness): readonly ContractCase[] {
  return Object.entries(promises).flatMap(([promise, cases]) => {
    const reason = harness.lacks?.[promise as FramingPromise]
    if (reason !== undefined) return [{ title: `${harness.name} lacks ${promise}: ${reason}`, run: () => undefined }]
    return Object.entries(cases).map(([title, run]) => ({ title: `${harness.name} ${title}`, run: () => run(harness) }))
  })
}

/** The frames that come out of these bytes, however they are cut: at the given places, counted from the start. */
export function framesOf(
  framing: Framing,
  wire: Buffer,
  cuts: readonly number[],
  limits: FrameLimits = anyLimits,
): Uint8Array[] {
  const decoder = framing.decoder(limits)
  const frames: Uint8Array[] = []
  let from = 0
  for (const cut of [...cuts, wire.length]) {
    // A copy, as a stream gives every chunk away for good.
    decoder.push(Buffer.from(wire.subarray(from, cut)), (frame) => frames.push(frame.bytes))
    from = cut
  }
  decoder.end((frame) => frames.push(frame.bytes))
  return frames
}

type Cases = Readonly<Record<string, (harness: FramingHarness) => void>>

const mib = 1024 * 1024

const anyLimits: FrameLimits = {
  limitName: 'maxAnswerBytes',
  maxFrameBytes: 64 * mib,
  maxDepth: Number.POSITIVE_INFINITY,
  maxContainers: Number.POSITIVE_INFINITY,
  maxNames: 1_000_000,
  maxHeaderBytes: 8 * 1024,
  maxHeaders: 32,
}

const promises: Readonly<Record<FramingPromise, Cases>> = {
  'wholeness under any cut': {
    'gives back all frames when they come in one chunk': ({ framing, frames }) => {
      assertSame(framesOf(framing, wireOf(framing, frames), []), frames)
    },
    'gives back all frames wherever they are cut in two': ({ framing, frames }) => {
      const wire = wireOf(framing, frames)
      for (let cut = 0; cut <= wire.length; cut++) assertSame(framesOf(framing, wire, [cut]), frames, `cut at ${cut}`)
    },
    'gives back all frames when they come byte by byte': ({ framing, frames }) => {
      const wire = wireOf(framing, frames)
      const everywhere = Array.from({ length: wire.length }, (_, index) => index)
      assertSame(framesOf(framing, wire, everywhere), frames)
    },
    'gives back nothing for a frame of no bytes': ({ framing, frames }) => {
      const nothing = Buffer.alloc(0)
      assertSame(framesOf(framing, wireOf(framing, [nothing, ...frames, nothing, '']), []), frames)
      assertSame(framesOf(framing, wireOf(framing, [nothing]), []), [])
    },
    'gives back 1,000 frames from one chunk': ({ framing, frames }) => {
      const thousand = Array.from({ length: 1_000 }, (_, index) => frames[index % frames.length] as Buffer)
      assertSame(framesOf(framing, wireOf(framing, thousand), []), thousand)
    },
    'gives back any frames under 10,000 random cuts': (harness) => {
      for (let seed = 1; seed <= 10_000; seed++) {
        const random = seededRandom(seed)
        const frames = Array.from({ length: 1 + random.below(5) }, () => random.pick(harness.frames))
        const wire = wireOf(harness.framing, frames)
        assertSame(framesOf(harness.framing, wire, randomCuts(wire, random)), frames, `seed ${seed}`)
      }
    },
    'gives back large frames from chunks of mixed sizes': ({ framing, frameOf, frames }) => {
      const random = seededRandom(7)
      const mixed = [frameOf(100_000), ...frames, frameOf(40_000), frameOf(5_000), ...frames, frameOf(300_000)]
      const wire = wireOf(framing, mixed)
      const cuts: number[] = []
      for (let at = 0; at < wire.length; at += random.pick([1, 2, 100, 4_095, 4_096, 4_097, 65_536])) cuts.push(at)
      assertSame(framesOf(framing, wire, cuts), mixed)
    },
  },
  'encoding of text': {
    'writes text as the bytes of its UTF-8, in the order given': ({ framing, frames, frameOf }) => {
      const mixed = [...frames, frameOf(5_000), frameOf(300_000), ...frames, frameOf(200_000), frameOf(100_000)]
      const texts = mixed.map((frame) => (isUtf8(frame) ? frame.toString() : frame))
      const halves = texts.map((text, index) => (index % 2 === 0 ? text : (mixed[index] as Buffer)))
      assert.ok(texts.some((text) => typeof text === 'string'))
      assert.ok(wireOf(framing, texts).equals(wireOf(framing, mixed)))
      assert.ok(wireOf(framing, halves).equals(wireOf(framing, mixed)))
    },
  },
  'separate decoders': {
    'keeps nothing from one decoder to another': ({ framing, frames }) => {
      const wire = wireOf(framing, frames)
      const [first, second] = [framing.decoder(anyLimits), framing.decoder(anyLimits)]
      const got: [Uint8Array[], Uint8Array[]] = [[], []]
      for (const byte of wire) {
        first.push(Buffer.from([byte]), (frame) => got[0].push(frame.bytes))
        second.push(Buffer.from([byte]), (frame) => got[1].push(frame.bytes))
      }
      first.end((frame) => got[0].push(frame.bytes))
      second.end((frame) => got[1].push(frame.bytes))
      assertSame(got[0], frames)
      assertSame(got[1], frames)
    },
  },
  'the limit on bytes': {
    'takes a frame below and at the limit and refuses one above, whatever the pieces': ({ framing, frameOf }) => {
      for (const limit of [64, 5_000, 20_000]) {
        for (const pieceBytes of [1, 7, 4_096, 100_000]) {
          for (const over of [-1, 0, 1]) {
            const frame = frameOf(limit + over)
            const outcome = feed(framing, wireOf(framing, [frame]), { limit, pieceBytes })
            const what = `limit ${limit}, frame of ${frame.length}, in pieces of ${pieceBytes}`
            if (over > 0) assertRefused(outcome, limit, what)
            else assertSame(outcome.frames, [frame], what)
          }
        }
      }
    },
    'refuses a frame that does not end, and never holds more than the limit': ({ framing, frameOf }) => {
      const limit = 10_000
      const wire = wireOf(framing, [frameOf(10 * limit)])
      for (const pieceBytes of [1, 1_024, 50_000]) {
        assertRefused(
          feed(framing, wire.subarray(0, 9 * limit), { limit, pieceBytes }),
          limit,
          `pieces of ${pieceBytes}`,
        )
      }
    },
    'counts every frame for itself': ({ framing, frameOf }) => {
      const frames = Array.from({ length: 50 }, () => frameOf(100))
      for (const pieceBytes of [33, 10_000]) {
        assertSame(feed(framing, wireOf(framing, frames), { limit: 100, pieceBytes }).frames, frames)
      }
    },
  },
  'refusal at the header': {
    'refuses a frame that is far too large within its first 64 bytes': ({ framing, frameOf }) => {
      const limit = 10_000
      const start = wireOf(framing, [frameOf(10 * limit)]).subarray(0, 64)
      for (const pieceBytes of [1, 64]) {
        assertRefused(feed(framing, start, { limit, pieceBytes }), limit, `pieces of ${pieceBytes}`)
      }
    },
  },
  'linear work': {
    'looks at bytes again for no chunk that follows': ({ framing, frameOf }) => {
      for (const pieceBytes of [1, 64, 4_096, 65_536]) {
        const [once, twice] = [
          looksAt(framing, frameOf(100_000), pieceBytes),
          looksAt(framing, frameOf(200_000), pieceBytes),
        ]
        assert.ok(once.looked <= 5 * 100_000, `100,000 bytes in pieces of ${pieceBytes}: ${once.looked} looked at`)
        assert.ok(
          twice.looked <= 2.1 * once.looked,
          `${once.looked} bytes looked at, ${twice.looked} for twice as many`,
        )
        assert.ok(twice.copied <= 3 * 200_000, `200,000 bytes in pieces of ${pieceBytes}: ${twice.copied} copied`)
      }
    },
    'takes a frame of 38 MB in pieces of 4 KB for less than 2.6 times the cost of 19 MB': ({ framing, frameOf }) => {
      const [once, twice] = [wireOf(framing, [frameOf(19 * mib)]), wireOf(framing, [frameOf(38 * mib)])]
      const timeOf = (wire: Buffer): number => {
        const start = performance.now()
        feedUnchecked(framing, wire)
        return performance.now() - start
      }
      let best = Number.POSITIVE_INFINITY
      // Other work on the machine makes a try too slow, never too fast.
      for (let tries = 0; tries < 30 && best >= 2.6; tries++) {
        const base = Math.min(timeOf(once), timeOf(once))
        best = Math.min(best, Math.min(timeOf(twice), timeOf(twice)) / base)
      }
      assert.ok(best < 2.6, `twice the bytes took ${best.toFixed(2)} times as long`)
    },
  },
  'the end': {
    'says that the other side ended inside a frame, and gives out those before': ({ framing, frames, frameOf }) => {
      const start = wireOf(framing, frames).length
      const whole = wireOf(framing, [...frames, frameOf(40)])
      // Where a newline follows the frame, it is whole without it.
      for (let cut = start + 1; cut < whole.length - 1; cut++) {
        const decoder = framing.decoder(anyLimits)
        const got: Uint8Array[] = []
        decoder.push(Buffer.from(whole.subarray(0, cut)), (frame) => got.push(frame.bytes))
        assert.throws(() => decoder.end((frame) => got.push(frame.bytes)), isClosed, `ended after ${cut} bytes`)
        assertSame(got, frames)
      }
    },
    'ends in order behind whole frames, and without any': ({ framing, frames }) => {
      assertSame(framesOf(framing, Buffer.alloc(0), []), [])
      assertSame(framesOf(framing, wireOf(framing, frames), []), frames)
    },
  },
  'the head of a frame': {
    'shows the first 128 bytes of what is held, or all': ({ framing, frameOf }) => {
      const frame = frameOf(50_000)
      const wire = wireOf(framing, [frame])
      for (const pieceBytes of [1, 50, 127, 128, 129, 5_000]) {
        const decoder = framing.decoder(anyLimits)
        for (let at = 0; at < 20_000; at += pieceBytes) {
          decoder.push(Buffer.from(wire.subarray(at, at + pieceBytes)), () => assert.fail('no frame is whole yet'))
          assertHead(decoder, [frame, wire])
        }
      }
    },
    'is empty between frames': ({ framing, frames }) => {
      const decoder = framing.decoder(anyLimits)
      assert.equal(decoder.pendingBytes, 0)
      assert.equal(decoder.head().length, 0)
      let count = 0
      decoder.push(wireOf(framing, frames), () => count++)
      decoder.quiet(() => count++)
      assert.equal(count, frames.length)
      assert.equal(decoder.pendingBytes, 0)
      assert.equal(decoder.head().length, 0)
    },
  },
  'no fault but its own': {
    'throws nothing but a PosternError at random bytes, and holds no more than the limit': (harness) => {
      for (let seed = 1; seed <= 2_000; seed++) {
        const random = seededRandom(seed)
        const wire = random.below(2) === 0 ? random.bytes(random.below(300)) : damaged(harness, random)
        surviveGarbage(harness.framing, wire, random)
      }
    },
  },
}

function wireOf(framing: Framing, frames: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(framing.encode(frames).map((piece) => Buffer.from(piece as string)))
}

function assertSame(got: readonly Uint8Array[], expected: readonly Buffer[], what = ''): void {
  const texts = (frames: readonly Uint8Array[]): string[] =>
    frames.map((frame) => Buffer.from(frame).toString('latin1'))
  assert.equal(got.length, expected.length, `${got.length} frames instead of ${expected.length} ${what}`)
  const same = got.every((frame, index) => (expected[index] as Buffer).equals(frame))
  if (!same) assert.deepEqual(texts(got), texts(expected), what)
}

function randomCuts(wire: Buffer, random: SeededRandom): number[] {
  return Array.from({ length: random.below(8) }, () => random.below(wire.length + 1)).sort((a, b) => a - b)
}

interface Outcome {
  readonly frames: Uint8Array[]
  error: unknown
}

/** Feeds a decoder in pieces and checks after each that it holds no more than the limit. */
function feed(framing: Framing, wire: Buffer, { limit, pieceBytes }: { limit: number; pieceBytes: number }): Outcome {
  const limits = { limitName: 'maxCallBytes', maxFrameBytes: limit, maxHeaderBytes: limit } as const
  const decoder = framing.decoder({ ...anyLimits, ...limits })
  const outcome: Outcome = { frames: [], error: undefined }
  try {
    for (let at = 0; at < wire.length; at += pieceBytes) {
      decoder.push(Buffer.from(wire.subarray(at, at + pieceBytes)), (frame) => outcome.frames.push(frame.bytes))
      assert.ok(decoder.pendingBytes <= limit, `${decoder.pendingBytes} bytes held at a limit of ${limit}`)
    }
  } catch (error) {
    if (!(error instanceof PosternError)) throw error
    outcome.error = error
    assert.ok(decoder.pendingBytes <= limit, `${decoder.pendingBytes} bytes held at a limit of ${limit}`)
  }
  return outcome
}

function assertRefused({ frames, error }: Outcome, limit: number, what: string): void {
  assert.equal(frames.length, 0, what)
  assert.ok(isPosternError(error, 'frame_too_large'), `${what}: ${String(error)}`)
  assert.deepEqual(error.details, { limit: 'maxCallBytes', value: limit })
  assert.ok(error.message.includes(`exceeds limits.maxCallBytes (${limit})`), error.message)
}

function looksAt(framing: Framing, frame: Buffer, pieceBytes: number): Looks {
  const looks: Looks = { looked: 0, copied: 0 }
  const wire = wireOf(framing, [frame])
  const decoder = framing.decoder(anyLimits)
  let whole = 0
  for (let at = 0; at < wire.length; at += pieceBytes) {
    decoder.push(countedBuffer(Buffer.from(wire.subarray(at, at + pieceBytes)), looks), () => whole++)
    if (decoder.pendingBytes > 0) decoder.head()
  }
  assert.equal(whole, 1)
  return looks
}

function feedUnchecked(framing: Framing, wire: Buffer): void {
  const decoder = framing.decoder(anyLimits)
  let whole = 0
  for (let at = 0; at < wire.length; at += 4_096) {
    decoder.push(wire.subarray(at, at + 4_096), () => whole++)
    if (decoder.pendingBytes > 0) decoder.head()
  }
  assert.equal(whole, 1)
}

function isClosed(error: unknown): boolean {
  return isPosternError(error, 'closed')
}

/** The head is a beginning of the frame, or of the bytes that carry it. */
function assertHead(decoder: FrameDecoder, wholes: readonly Buffer[]): void {
  const head = decoder.head()
  assert.ok(
    head.length >= Math.min(128, decoder.pendingBytes),
    `a head of ${head.length} of ${decoder.pendingBytes} bytes`,
  )
  assert.ok(wholes.some((whole) => whole.subarray(0, head.length).equals(head)))
}

/** Good frames on the wire with some bytes changed, lost, doubled or inserted. */
function damaged({ framing, frames }: FramingHarness, random: SeededRandom): Buffer {
  let wire = wireOf(framing, [random.pick(frames), random.pick(frames)])
  for (let times = random.below(4); times >= 0; times--) {
    const at = random.below(wire.length)
    const [before, behind] = [wire.subarray(0, at), wire.subarray(at)]
    const middle = random.pick([Buffer.alloc(0), random.bytes(3), behind.subarray(0, 9), Buffer.from('"\\{[]}\n')])
    wire = Buffer.concat([before, middle, behind.subarray(random.below(4))])
  }
  return wire
}

function surviveGarbage(framing: Framing, wire: Buffer, random: SeededRandom): void {
  const limits = { maxFrameBytes: 100, maxDepth: 8, maxContainers: 20, maxHeaderBytes: 60, maxHeaders: 4 }
  const decoder = framing.decoder({ ...anyLimits, ...limits })
  let bytes = 0
  const sink: FrameSink = (frame) => {
    bytes += frame.length
    assert.ok(frame.length > 0 && frame.length <= 100, `a frame of ${frame.length} bytes, seed ${random.seed}`)
  }
  try {
    for (let at = 0, next = 0; at < wire.length; at = next) {
      next = at + 1 + random.below(20)
      decoder.push(Buffer.from(wire.subarray(at, next)), sink)
      assert.ok(decoder.pendingBytes <= 100, `${decoder.pendingBytes} bytes held, seed ${random.seed}`)
      assert.ok(decoder.head().length <= decoder.pendingBytes)
      if (random.below(3) === 0) decoder.quiet(sink)
    }
    decoder.end(sink)
  } catch (error) {
    if (!isPosternError(error)) throw error
  }
  assert.ok(bytes <= wire.length, `more bytes came out than went in, seed ${random.seed}`)
}
