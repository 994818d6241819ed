import { expect, test } from 'vitest'
import { defaultLimits } from '../../src/core/limits.ts'
import type { FlowFigures, FlowOrder } from '../programs/flow-client.ts'
import { consumerUnits } from '../programs/flow.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { OrderedChild } from './ordered-child.ts'

/** `npm test` takes few; POSTERN_STREAM_ITEMS sets how many. */
const items = Number(process.env['POSTERN_STREAM_ITEMS'] ?? 50_000)
const timeout = 60_000 + items

/** Items that a server may send ahead of their consumer: `creditWindow` in `rpc/subscription.ts`. */
const window = 128

/** What one read takes from a socket, and one write gives to it. */
const sliceBytes = 64 * 1024

async function run(order: Omit<FlowOrder, 'path' | 'items'>): Promise<FlowFigures> {
  const path = `${await temporaryDirectory()}/s`
  const [server, client] = [new OrderedChild('flow-server'), new OrderedChild('flow-client')]
  await server.order({ address: `unix:${path}` })
  const figures = (await client.order({ ...order, path, items })) as FlowFigures
  await Promise.all([server.kill(), client.kill()])
  return figures
}

const inSlice = ({ producer }: FlowFigures): number => Math.ceil(sliceBytes / producer.frameBytes)

/** What waits in a full queue, and the slices before it that are on their way into the socket. */
const queued = (figures: FlowFigures): number => defaultLimits.maxQueuedFrames + 2 * inSlice(figures)

interface Bounds {
  readonly server: number
  readonly client: number
}

const mb = (bytes: number): string => String(Math.round(bytes / 2 ** 20))

function row(title: string, figures: FlowFigures, bounds: Bounds): string {
  const { code = 'done', maxRssBytes, peakHeld, producer, seconds, taken } = figures
  const cells = [
    [producer.produced, 9],
    [taken, 9],
    [`${producer.peakHeld} <= ${bounds.server}`, 16],
    [`${peakHeld} <= ${bounds.client}`, 19],
    [mb(producer.maxRssBytes), 4],
    [mb(maxRssBytes), 4],
    [seconds.toFixed(1), 6],
  ] as const
  return `  ${title.padEnd(34)}${cells.map(([cell, width]) => ` ${String(cell).padStart(width)}`).join('')}  ${code}\n`
}

test('a consumer a hundred times slower than its producer holds what a limit says, and no more', {
  timeout,
}, async () => {
  const { maxBufferedItems } = defaultLimits
  const credit = await run({ form: 'credit' })
  const roomy = await run({ form: 'no credit', limits: { maxBufferedItems: items } })
  const usual = await run({ form: 'no credit' })
  const raw = await run({ form: 'raw socket' })
  // One more than may wait is what ends the third; a socket of Node holds a slice and reads one more.
  const rows = [
    ['contract stream, credit', credit, { server: window, client: window }],
    [`no credit, maxBufferedItems ${items}`, roomy, { server: queued(roomy), client: items }],
    [`no credit, maxBufferedItems ${maxBufferedItems}`, usual, { server: queued(usual), client: maxBufferedItems + 1 }],
    ['raw socket that reads slowly', raw, { server: queued(raw), client: 2 * inSlice(raw) }],
  ] as const
  process.stdout.write(
    `${items} items, each consumed with ${consumerUnits} times the work of producing it; RSS in MiB\n` +
      `  ${'form'.padEnd(34)}  produced     taken  held at server      held at client  RSS  RSS      s  end\n` +
      `${rows.map(([title, figures, bounds]) => row(title, figures, bounds)).join('')}`,
  )
  for (const [title, { peakHeld, producer }, bounds] of rows) {
    expect(producer.peakHeld, title).toBeLessThanOrEqual(bounds.server)
    expect(peakHeld, title).toBeLessThanOrEqual(bounds.client)
  }
  for (const { code, taken } of [credit, roomy, raw]) expect([code, taken]).toEqual([undefined, items])
  // What arrived is delivered before the error, and the producer stops.
  expect(usual.code).toBe('limit_exceeded')
  expect(usual.taken).toBeGreaterThanOrEqual(maxBufferedItems)
  expect(usual.producer.produced).toBeLessThan(items)
  // The consumer is slow indeed: without credit most of it piles up, also where both share one processor.
  expect(roomy.peakHeld).toBeGreaterThan(items / 2)
})
