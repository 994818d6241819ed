import { contract, method } from '../../src/index.ts'
import { anything } from './anything.ts'

/** One entry, under its own key. */
export interface Entry {
  readonly key: string
  /** Answered in a later turn of the event loop than it is applied in. */
  readonly late: boolean
  /** Bytes that make the call larger. */
  readonly filler: string
}

/** What `ledger-server.ts` serves: both answer when the entry stands in the ledger. */
export const ledger = contract('ledger', {
  /** Writes the entry whether or not it is there. */
  apply: method({ params: anything<Entry>(), returns: anything<'applied'>() }),
  /** Writes the entry unless its key is there. */
  applyOnce: method({ params: anything<Entry>(), returns: anything<'applied' | 'found'>(), idempotent: true }),
})
