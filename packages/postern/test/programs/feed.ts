import { contract, event, method, stream } from '../../src/index.ts'
import { anything } from './anything.ts'

/** One life of a server, and how often it has emitted. */
export interface Tick {
  readonly life: number
  readonly count: number
}

/** What `feed-server.ts` serves. */
export const feed = contract('feed', {
  /** Emitted all the time. */
  tick: event({ payload: anything<Tick>() }),
  /** All whole numbers from one on. */
  numbers: stream({ params: anything<{ from: number }>(), yields: anything<number>() }),
  echo: method({ params: anything<number>(), returns: anything<number>() }),
  /** Has the server do nothing else for so long. */
  block: method({ params: anything<{ ms: number }>() }),
  connections: method({ returns: anything<number>() }),
})
