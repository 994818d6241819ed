import { expect, test } from 'vitest'
import { countedBuffer } from '../testing/counted-buffer.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { FrameBuffer } from './frame-buffer.ts'

const nothing = Buffer.alloc(0)

/** Bytes of memory that the pieces keep alive, blocks and chunks as a whole. */
function memoryOf(pieces: readonly Buffer[]): number {
  const stores = new Set(pieces.map((piece) => piece.buffer))
  return [...stores].reduce((sum, store) => sum + store.byteLength, 0)
}

test('FrameBuffer joins any pieces to what they were', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed)
    const held = new FrameBuffer()
    const pieces = Array.from({ length: random.below(30) }, () =>
      Buffer.alloc(random.pick([0, 1, 5, 4_095, 4_096, 9_000]), seed),
    )
    for (const [index, piece] of pieces.entries()) {
      if (piece.length > 0) piece[0] = index
      held.add(piece)
    }
    const last = random.bytes(random.below(20))
    const whole = Buffer.concat([...pieces, last])
    expect(held.length).toBe(whole.length - last.length)
    if (!held.take(last).equals(whole)) expect.unreachable(`seed ${seed}`)
    expect(held.length).toBe(0)
    expect(held.head().length).toBe(0)
  }
})

test('FrameBuffer is as good as new after it was emptied', () => {
  const held = new FrameBuffer()
  held.add(Buffer.from('abc'))
  expect(held.take(Buffer.from('d')).toString()).toBe('abcd')
  held.add(Buffer.from('ef'))
  expect(Buffer.concat(held.takePieces()).toString()).toBe('ef')
  held.add(Buffer.from('gh'))
  expect(held.head().toString()).toBe('gh')
  expect(held.take(nothing).toString()).toBe('gh')
})

test('FrameBuffer gives out a frame that came in one piece without a copy', () => {
  const piece = Buffer.from('whole')
  expect(new FrameBuffer().take(piece)).toBe(piece)
})

test('FrameBuffer gives out bytes that later ones do not change', () => {
  const held = new FrameBuffer()
  held.add(Buffer.from('first'))
  const [piece] = held.takePieces()
  held.add(Buffer.from('other'))
  expect(piece?.toString()).toBe('first')
})

test('FrameBuffer keeps bytes that dribble in few pieces and little memory', () => {
  const held = new FrameBuffer()
  for (let n = 0; n < 100_000; n++) held.add(Buffer.from([n]))
  const pieces = held.takePieces()
  expect(pieces).toHaveLength(7)
  expect(memoryOf(pieces)).toBe(7 * 16 * 1024)
  expect(Buffer.concat(pieces)).toEqual(Buffer.from(Array.from({ length: 100_000 }, (_, n) => n)))
})

test('FrameBuffer keeps small pieces between large ones without a block for each', () => {
  const held = new FrameBuffer()
  let bytes = 0
  for (let n = 0; n < 500; n++) {
    for (const length of [4_096, 1, 100]) {
      held.add(Buffer.alloc(length, n))
      bytes += length
    }
  }
  expect(held.length).toBe(bytes)
  expect(memoryOf(held.takePieces())).toBeLessThan(1.1 * bytes + 16 * 1024)
})

test.each([1, 4_095, 4_096, 65_536])(
  'FrameBuffer copies pieces of %d bytes once, and out of a block once more',
  (length) => {
    const held = new FrameBuffer()
    const looks = { looked: 0, copied: 0 }
    for (let n = 0; n < 50; n++) held.add(countedBuffer(Buffer.alloc(length), looks))
    held.take(nothing)
    // The copy out of a block of its own is not counted here.
    expect(looks).toEqual({ looked: 0, copied: 50 * length })
  },
)

test.each([1, 50, 127, 128, 129, 4_095, 4_096, 5_000])('FrameBuffer shows the head of pieces of %d bytes', (length) => {
  const held = new FrameBuffer()
  const all: Buffer[] = []
  for (let n = 0; n < 200; n++) {
    const piece = Buffer.alloc(n % 7 === 3 ? 4_096 : length, n)
    held.add(piece)
    all.push(piece)
    const whole = Buffer.concat(all.slice(0, 130))
    const head = held.head()
    expect(head.length).toBeGreaterThanOrEqual(Math.min(128, held.length))
    expect(head.equals(whole.subarray(0, head.length))).toBe(true)
  }
})

test('FrameBuffer shows the head at the cost of a few pieces, however many it holds', () => {
  const held = new FrameBuffer()
  held.add(Buffer.from('the first piece is short'))
  let copies = 0
  for (let n = 0; n < 1_000; n++) {
    const piece = Buffer.alloc(4_096, n)
    const copy = piece.copy.bind(piece)
    piece.copy = (...given) => {
      copies++
      return copy(...given)
    }
    held.add(piece)
    expect(held.head().length).toBe(128)
  }
  expect(copies).toBe(1_000)
})
