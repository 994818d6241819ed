/** What the handlers in `worker-handlers.ts` serve, and what their clients do. */

import { z } from 'zod'
import { contract } from '../../src/service/contract.ts'
import { event, method, stream } from '../../src/service/members.ts'

export const works = contract('works', {
  thread: method({ returns: z.int() }),
  /** Computes until there is a file of this name. */
  compute: method({ params: z.string(), returns: z.int() }),
  echo: method(),
  letters: method({ params: z.string().transform((text) => [...text]), returns: z.array(z.string()) }),
  sum: method({ params: z.tuple([z.int(), z.int()]), returns: z.int(), positional: true }),
  kind: method({ params: z.unknown(), returns: z.string() }),
  whoAsks: method({ returns: z.object({ method: z.string(), uid: z.int().optional() }) }),
  fails: method({ params: z.string(), errors: { insufficient: z.object({ missing: z.int() }), closed_today: null } }),
  /** Answers when the caller has given up. */
  waits: method({ params: z.string() }),
  heard: method({ params: z.string(), returns: z.boolean() }),
  dies: method({ params: z.enum(['exit', 'throw', 'reject']) }),
  numbers: stream({ params: z.object({ to: z.int() }), yields: z.int() }),
  endless: stream({ yields: z.int() }),
  made: method({ returns: z.object({ yielded: z.int(), finished: z.int() }) }),
  breaks: stream({ params: z.enum(['at once', 'after one', 'badly']), yields: z.int() }),
  asks: method({ params: z.int(), returns: z.int() }),
  asksAnything: method({ params: z.tuple([z.string(), z.unknown()]), positional: true }),
  relay: stream({ params: z.int(), yields: z.int() }),
  listens: method({ returns: z.int() }),
  moves: method({ returns: z.array(z.int()) }),
  joined: event({ payload: z.string() }),
})

export const screen = contract('screen', {
  ask: method({ params: z.int(), returns: z.int(), errors: { busy_drawing: z.object({ until: z.int() }) } }),
  lines: stream({ params: z.int(), yields: z.int() }),
  moved: event({ payload: z.int() }),
})
