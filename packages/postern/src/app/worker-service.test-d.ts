import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { contract, event, type HandlersOf, method, type Server, serve } from '../index.ts'

const node = contract('node', { work: method({ params: z.string(), returns: z.int() }), joined: event() })
const screen = contract('screen', { ask: method({ params: z.int(), returns: z.boolean() }) })
const module = new URL('./handlers.js', import.meta.url)

it('takes workers with a module, and gives the server of the contract', async () => {
  const server = await serve(node, module, { at: 'memory:x', workers: 4, client: screen })
  expectTypeOf(server).toEqualTypeOf<Server<typeof node.members>>()
  await serve(node, module, { at: 'memory:x' })
  // @ts-expect-error a number
  await serve(node, module, { at: 'memory:x', workers: '4' })
  // @ts-expect-error a module needs a contract
  await serve(module, { at: 'memory:x' })
})

it('takes no workers without a module', async () => {
  // @ts-expect-error handlers that are at hand run in this thread
  await serve(node, { work: (text) => text.length }, { at: 'memory:x', workers: 4 })
  // @ts-expect-error so do those without a contract
  await serve({ work: () => 1 }, { at: 'memory:x', workers: 4 })
})

it('types the handlers of a module as those of serve', () => {
  const handlers: HandlersOf<typeof node.members, typeof screen.members> = {
    work: async (text, { client }) => {
      expectTypeOf(client.api.ask).returns.resolves.toEqualTypeOf<boolean>()
      return text.length
    },
  }
  expectTypeOf(handlers.work).parameter(0).toEqualTypeOf<string>()
})
