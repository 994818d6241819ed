import { join } from 'node:path'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { onTestFinished } from 'vitest'
import * as v from 'valibot'
import * as z from 'zod'
import { contract, event, method, type PlaceOptions, serve, stream } from '../../src/index.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const Block = z
  .object({ number: z.int(), hash: z.string().meta({ description: 'Of the header.' }) })
  .meta({ id: 'Block' })

const Tree = z.object({
  name: z.string(),
  get kids() {
    return z.array(Tree)
  },
})

/** A contract with a bit of everything, half of it in zod and half in valibot. */
export const described = contract('node', {
  info: method({ returns: z.object({ version: z.string(), peers: z.int() }), summary: 'Tells what the node is' }),
  transfer: method({
    params: z.object({ to: z.string(), amount: z.int(), memo: z.string().optional() }),
    returns: toStandardJsonSchema(
      v.variant('kind', [
        v.object({ kind: v.literal('done'), receipt: v.string() }),
        v.object({ kind: v.literal('later'), at: v.nullable(v.number()) }),
      ]),
    ),
    errors: { insufficient_funds: z.object({ missing: z.int() }), closed_account: null },
  }),
  add: method({ params: z.tuple([z.number(), z.number()]), returns: z.number(), positional: true }),
  double: method({ params: z.number(), returns: z.number() }),
  tree: method({ params: toStandardJsonSchema(v.object({ depth: v.optional(v.number()) })), returns: Tree }),
  anything: method(),
  blocks: stream({ params: z.object({ from: z.int() }), yields: Block, summary: 'Blocks as they come' }),
  joined: event({ payload: toStandardJsonSchema(v.tuple([v.string(), v.picklist(['in', 'out'])])) }),
  shutdown: method({ access: 'admin' }),
})

/** Where it is served. */
export interface DescribedServer {
  readonly path: string
  readonly adminPath: string
  /** Emits the event. */
  readonly join: (name: string) => void
}

/** Serves it until the test is over. */
export async function startDescribedServer(more: Omit<PlaceOptions, 'address'> = {}): Promise<DescribedServer> {
  const directory = await temporaryDirectory()
  const [path, adminPath] = [join(directory, 's'), join(directory, 'admin')]
  const server = await serve(
    described,
    {
      info: () => ({ version: '1.2.3', peers: 4 }),
      transfer: ({ amount }, ctx) => {
        if (amount > 100) throw ctx.fail('insufficient_funds', { missing: amount - 100 })
        return { kind: 'done', receipt: `r${amount}` }
      },
      add: ([a, b]) => a + b,
      double: (value) => 2 * value,
      tree: ({ depth = 1 }) => ({ name: 'root', kids: depth > 0 ? [{ name: 'kid', kids: [] }] : [] }),
      anything: (params) => params,
      async *blocks({ from }) {
        for (let number = from; number < from + 1_000; number++) yield { number, hash: `0x${number}` }
      },
      shutdown: () => undefined,
    },
    {
      at: [
        { ...more, address: `unix:${path}` },
        { address: `unix:${adminPath}`, access: ['admin'] },
      ],
      onError: () => undefined,
    },
  )
  onTestFinished(() => server.close())
  return { path, adminPath, join: (name) => server.emit.joined([name, 'in']) }
}
