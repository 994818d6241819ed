import { median } from '../stats.ts'
import { type Group, groupRows, type Measured, type Row, type Target } from '../table.ts'

/** Two rows: the library that does best, by the sign of our target, and ours beside it. Ahead of it is ahead of all. */
export function besideBestLibrary(
  { group, unit }: Group,
  libraries: readonly Measured[],
  ours: Measured & { readonly target: Target },
): Row[] {
  const inOrder = [...libraries].sort((a, b) => median(a.samples) - median(b.samples))
  const best = ours.target.sign === '>=' ? inOrder.at(-1) : inOrder[0]
  if (best === undefined) throw new TypeError(`${group}: no library was measured`)
  return groupRows({ group: `${group}, beside the best library`, unit, base: best.name }, [best, ours])
}
