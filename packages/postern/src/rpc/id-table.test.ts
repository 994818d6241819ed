import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Id } from '../protocols/message.ts'
import { IdTable, type TableEntry } from './id-table.ts'

interface Entry extends TableEntry<Entry> {
  readonly id: Id
}

const entryOf = (id: Id): Entry => ({ id, nextInTable: undefined })

test('IdTable holds what a Map would, whatever comes and goes', () => {
  const ids = fc.oneof(fc.integer({ min: -40, max: 40 }), fc.maxSafeInteger(), fc.string({ maxLength: 3 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), ids), { maxLength: 300 }), (steps) => {
      const table = new IdTable<Entry>()
      const map = new Map<Id, Entry>()
      for (const [adds, id] of steps) {
        const known = map.get(id)
        expect(table.get(id)).toBe(known)
        if (adds && known === undefined) {
          const entry = entryOf(id)
          table.add(entry)
          map.set(id, entry)
        } else if (!adds && known !== undefined) {
          expect(table.remove(known)).toBe(true)
          expect(table.remove(known)).toBe(false)
          map.delete(id)
        }
        expect(table.size).toBe(map.size)
      }
      expect(new Set(table.entries())).toEqual(new Set(map.values()))
    }),
  )
})

test('IdTable tells a number from the text of it', () => {
  const table = new IdTable<Entry>()
  const [number, text] = [entryOf(1), entryOf('1')]
  table.add(number)
  table.add(text)
  expect(table.get(1)).toBe(number)
  expect(table.get('1')).toBe(text)
})
