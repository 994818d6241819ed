import { contract, method, stream } from '../../src/index.ts'
import { anything } from './anything.ts'

/** What the producer of `flow` has done. */
export interface ProducerFigures {
  readonly produced: number
  /** Most items that were produced and not handed to the kernel. */
  readonly peakHeld: number
  /** Of one item on the wire. */
  readonly frameBytes: number
  readonly maxRssBytes: number
}

const members = {
  /** That many items, each of which says its number. */
  items: stream({ params: anything<{ count: number }>(), yields: anything<string>() }),
  figures: method({ returns: anything<ProducerFigures>() }),
}

/** What `flow-server.ts` serves. */
export const flow = contract('flow', members)

/** The same, for a client that does not know that its server is Postern, and so gives no credit. */
export const foreignFlow = contract('flow', members, { foreign: true })

/** How much more work than to produce an item it is to consume one. */
export const consumerUnits = 100

/** An item: all are of the same length. */
export const itemText = (number: number): string => String(number).padStart(8, '0')

/** Rounds of a unit of work: about a third of a microsecond. */
const unitRounds = 64

let state = 1

/** Computes: so many units, whatever the time that takes. */
export function work(units: number): void {
  for (let round = units * unitRounds; round > 0; round--) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
  }
}
