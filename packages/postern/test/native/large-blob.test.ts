import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { serve } from '../../src/app/serve.ts'
import type { Tap } from '../../src/core/tap.ts'
import type { CallContext } from '../../src/rpc/incoming-call.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const sizes = [8, 64_000_000]

/** Numbers of which each tells its place, in a blob. */
function fill(bytes: Uint8Array): Float64Array {
  const values = valuesOf(bytes)
  for (let index = 0; index < values.length; index++) values[index] = index / 3
  return values
}

function valuesOf(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
}

/** How many of them are not what `fill` wrote. */
function wrongIn(bytes: Uint8Array): number {
  return valuesOf(bytes).reduce((wrong, value, index) => (value === index / 3 ? wrong : wrong + 1), 0)
}

/** The lengths of the frames that pass, which is all that is written to the ring and read from it. */
function lengthsOf(): { readonly tap: Tap; readonly lengths: number[] } {
  const lengths: number[] = []
  return { tap: { frame: (_, { length }) => void lengths.push(length), close: () => undefined }, lengths }
}

test('a Float64Array of 64 MB arrives equal, both ways, in frames as short as those of one number', async () => {
  const at = `shm:${await temporaryDirectory()}/s`
  const handlers = {
    check: (bytes: Uint8Array) => ({ wrong: wrongIn(bytes), isAligned: bytes.byteOffset % 8 === 0 }),
    make: (size: number, ctx: CallContext) => {
      const { bytes } = ctx.blob(size)
      fill(bytes)
      return bytes
    },
  }
  const server = await serve(handlers, { at })
  onTestFinished(() => server.close())
  const { tap, lengths } = lengthsOf()
  const connection = await connect(`${at}?codec=msgpack`, { tap })
  onTestFinished(() => connection.close())

  const framesOf: number[][] = []
  for (const size of sizes) {
    const { bytes } = await connection.blob(size)
    fill(bytes)
    expect(await connection.call('check', [bytes])).toEqual({ wrong: 0, isAligned: true })
    const made = (await connection.call('make', [size])) as Uint8Array
    expect([made.length, wrongIn(made)]).toEqual([size, 0])
    framesOf.push(lengths.splice(0))
  }
  const [short = [], long = []] = framesOf
  expect(short).toHaveLength(4)
  // The size itself is a number in the call of `make`, and takes four bytes more.
  expect(long).toEqual(short.map((length, index) => (index === 2 ? length + 4 : length)))
  expect(Math.max(...long)).toBeLessThan(100)
})
