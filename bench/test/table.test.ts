import { expect, test } from 'vitest'
import { formatTable, groupRows } from '../src/table.ts'

const group = { group: 'small call, p50, pinned', unit: 'us', base: 'echo' }

test('groupRows compares each round with the base of the same round', () => {
  const rows = groupRows(group, [
    { name: 'echo', samples: [10, 20, 40] },
    { name: 'ours', samples: [11, 24, 60], target: { sign: '<=', limit: 1.3 } },
  ])
  expect(rows[1]).toMatchObject({ median: 24, min: 11, max: 60, met: true })
  expect(rows[1]?.ratio?.median).toBeCloseTo(1.2)
  expect(rows[1]?.ratio?.max).toBeCloseTo(1.5)
})

test('groupRows gives no ratio without a base, and refuses one that was not measured', () => {
  expect(groupRows({ group: 'alone', unit: 'ms' }, [{ name: 'x', samples: [1] }])[0]).not.toHaveProperty('ratio')
  expect(() => groupRows(group, [{ name: 'ours', samples: [1] }])).toThrow(TypeError)
})

test('groupRows judges the figure itself where the target says so, also without a base', () => {
  const target = { sign: '<=', limit: 8, of: 'figure' } as const
  const measured = [{ name: 'ours', samples: [7, 9, 8], target }]
  const rows = groupRows({ group: 'memory', unit: 'KB' }, measured)
  expect(rows[0]).toMatchObject({ median: 8, met: true })
  expect(formatTable(rows)).toContain('<= 8 KB  met')
  const [, over] = groupRows({ group: 'memory', unit: 'KB', base: 'bare' }, [
    { name: 'bare', samples: [18] },
    { name: 'ours', samples: [9], target },
  ])
  expect(over).toMatchObject({ ratio: { median: 0.5 }, met: false })
})

test('formatTable puts the figures of a group below its name, with target and verdict', () => {
  const measured = [
    { name: 'echo', samples: [15.24] },
    { name: 'ours', samples: [30], target: { sign: '<=', limit: 1.3 } as const },
  ]
  expect(formatTable(groupRows(group, measured))).toBe(
    [
      '         median    min - max  ratio    min - max  target',
      '',
      'small call, p50, pinned',
      '  echo  15.2 us  15.2 - 15.2   1.00  1.00 - 1.00',
      '  ours  30.0 us  30.0 - 30.0   1.97  1.97 - 1.97  <= 1.3  missed',
      '',
    ].join('\n'),
  )
})
