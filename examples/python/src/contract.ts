/** What the two sides call each other by: one contract is served by TypeScript, the other by Python. */

import { contract, method } from 'postern'
import { struct } from 'postern/codecs'
import { z } from 'zod'

/** Numbers as Python's `struct` packs them, in base64, since JSON carries no bytes. */
const Packed = z.object({ packed: z.base64() })

const Sensor = z.object({ sensor: z.string() })

/** Served by `serve-readings.ts`, and called by `read_sensor.py`. */
export const readings = contract('readings', {
  latest: method({
    params: Sensor,
    returns: z.object({ celsius: z.number() }),
    errors: { no_such_sensor: z.object({ sensors: z.array(z.string()) }) },
  }),
  /** Floats, the oldest first. */
  history: method({ params: Sensor.extend({ count: z.int().min(1).max(1_000) }), returns: Packed }),
})

/** Served by `serve_python.py`, which is no Postern: it is sent nothing but calls. */
export const stats = contract(
  'stats',
  {
    describe: method({
      params: Packed,
      returns: z.object({ count: z.int(), mean: z.number(), deviation: z.number() }),
      idempotent: true,
    }),
    /** The mean of each double and those before it, as many as the window holds. */
    smooth: method({ params: Packed.extend({ window: z.int().min(1) }), returns: Packed, idempotent: true }),
  },
  { foreign: true },
)

/** What Python unpacks as `struct.unpack('<10f', base64.b64decode(packed))`, with the count that there is. */
export function packFloats(values: readonly number[]): string {
  return Buffer.from(struct(`<${values.length}f`).pack(values)).toString('base64')
}

/** The same with doubles. */
export function packDoubles(values: readonly number[]): string {
  return Buffer.from(struct(`<${values.length}d`).pack(values)).toString('base64')
}

/** The doubles that Python packed. */
export function unpackDoubles(packed: string): number[] {
  const bytes = Buffer.from(packed, 'base64')
  return struct(`<${Math.floor(bytes.length / 8)}d`).unpack(bytes)
}
