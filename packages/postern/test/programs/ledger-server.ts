/**
 * Serves `ledger` at the address of its order. An entry is written to the file before it is answered, by one write that
 * outlives this process: the kernel has it.
 */

import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { serve } from '../../src/index.ts'
import { type Entry, ledger } from './ledger.ts'
import { takeOrders } from './orders.ts'

interface Order {
  readonly address: string
  readonly file: string
}

takeOrders(async ({ address, file }: Order) => {
  const keys = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])
  const descriptor = openSync(file, 'a')
  const write = async <T>({ key, late }: Entry, answer: T): Promise<T> => {
    keys.add(key)
    writeSync(descriptor, `${key}\n`)
    if (late) await turn()
    return answer
  }
  await serve(
    ledger,
    {
      apply: (entry) => write(entry, 'applied'),
      applyOnce: (entry) => (keys.has(entry.key) ? 'found' : write(entry, 'applied')),
    },
    { at: address },
  )
})
