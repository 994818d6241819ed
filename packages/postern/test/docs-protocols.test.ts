/** The transcripts of docs/protocols.md, as they stand there, on one socket. */

import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { connect } from '../src/app/connect.ts'
import { serve } from '../src/app/serve.ts'
import { contract } from '../src/service/contract.ts'
import { method } from '../src/service/members.ts'
import { until } from '../src/testing/until.ts'
import { blocksOf, read } from './docs/pages.ts'
import { rawClient } from './raw-peer.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const page = 'docs/protocols.md'
const blocks = blocksOf(page).filter(({ language }) => language === 'wire' || language === 'hex')

const Sum = z.object({ a: z.int(), b: z.int() })
const math = contract('math', { add: method({ params: Sum, returns: z.int() }) })

async function served(): Promise<string> {
  const path = `${await temporaryDirectory()}/s`
  const server = await serve(math, { add: ({ a, b }) => a + b }, { at: `unix:${path}`, onError: () => undefined })
  onTestFinished(() => server.close())
  return path
}

interface Step {
  readonly sends: boolean
  readonly bytes: Buffer
}

/** What is sent and what comes back, in order. A line that begins with spaces goes on with the one before. */
function stepsOf(language: string, code: string): Step[] {
  const steps: Step[] = []
  for (const line of code.split('\n')) {
    const [, arrow = '', content = ''] = /^(-->|<--| {3}) (.*)$/.exec(line) ?? []
    if (arrow === '') throw new Error(`a line is none of --> <-- and spaces: ${line}`)
    const bytes =
      language === 'hex' ? fromHex(content) : Buffer.from(content.replaceAll('\\r', '\r').replaceAll('\\n', '\n'))
    const last = steps.at(-1)
    if (arrow.trim() !== '') steps.push({ sends: arrow === '-->', bytes })
    else if (last !== undefined) steps.splice(-1, 1, { ...last, bytes: Buffer.concat([last.bytes, bytes]) })
  }
  return steps
}

function fromHex(content: string): Buffer {
  return Buffer.from(content.replace(/#.*/, '').replaceAll(' ', ''), 'hex')
}

beforeAll(() => {
  expect(blocks.length).toBeGreaterThanOrEqual(7)
})

it.each(blocks.map(({ line, language, code }) => [line, language, code] as const))(
  `${page}:%i is what goes over the socket`,
  async (_line, language, code) => {
    const peer = await rawClient(await served())
    for (const { sends, bytes } of stepsOf(language, code)) {
      if (sends) peer.send(bytes)
      else {
        await until(() => peer.bytes >= bytes.length || peer.over)
        expect(peer.taken(bytes.length)).toEqual(bytes)
      }
    }
    expect(peer.bytes).toBe(0)
  },
)

it('and a client asks for each by its address, on the same socket at the same time', async () => {
  const at = await served()
  const asked = [...read(page).matchAll(/`(\?[\w=&-]+)`/g)].map(([, query]) => query as string)
  const queries = new Set(['', ...asked])
  expect(queries.size).toBe(6)
  const connections = await Promise.all([...queries].map((query) => connect(`unix:${at}${query}`, math)))
  onTestFinished(async () => void (await Promise.all(connections.map((connection) => connection.close()))))
  expect(await Promise.all(connections.map(({ api }, n) => api.add({ a: n, b: 1 })))).toEqual([1, 2, 3, 4, 5, 6])
})
