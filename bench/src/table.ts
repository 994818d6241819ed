/**
 * Results as rows, rows as a plain-text table. A row belongs to a group, whose rows measure the same thing and are
 * compared with one of them, the base.
 */

import { median, spread } from './stats.ts'

/** What a row must keep to. */
export interface Target {
  readonly sign: '<' | '<=' | '>='
  readonly limit: number
  /** What is judged: the ratio to the base, or the figure itself in the unit of its group. Default `ratio`. */
  readonly of?: 'ratio' | 'figure'
}

/** One line of the table, and of the JSON. */
export interface Row {
  readonly group: string
  readonly name: string
  readonly unit: string
  /** Over the rounds, as `min` and `max` are. */
  readonly median: number
  readonly min: number
  readonly max: number
  /** To the group's base; missing in a group without one. */
  readonly ratio?: Ratio
  readonly target?: Target
  readonly met?: boolean
}

/** Each round gives one ratio, of two values taken in the same round, so that a machine that drifts spoils it less. */
export interface Ratio {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** What was measured of one thing: a sample a round. */
export interface Measured {
  readonly name: string
  readonly samples: readonly number[]
  readonly target?: Target | undefined
}

/** What the rows of a group have in common. */
export interface Group {
  readonly group: string
  readonly unit: string
  /** The name of the one that the others are compared with. */
  readonly base?: string | undefined
}

/** The rows of one group. Throws `TypeError` when the base is not among what was measured. */
export function groupRows({ group, unit, base: baseName }: Group, measured: readonly Measured[]): Row[] {
  const base = measured.find(({ name }) => name === baseName)
  if (baseName !== undefined && base === undefined)
    throw new TypeError(`${group}: the base ${baseName} was not measured`)
  return measured.map(({ name, samples, target }) => {
    const figures = summary(samples)
    const ratio = base && summary(samples.map((sample, round) => sample / (base.samples[round] as number)))
    const row = { group, name, unit, ...figures, ...(ratio === undefined ? {} : { ratio }) }
    const judged = target?.of === 'figure' ? figures : ratio
    if (target === undefined || judged === undefined) return row
    return { ...row, target, met: keeps(judged.median, target) }
  })
}

function summary(samples: readonly number[]): Ratio {
  return { median: median(samples), ...spread(samples) }
}

function keeps(value: number, { sign, limit }: Target): boolean {
  switch (sign) {
    case '<':
      return value < limit
    case '<=':
      return value <= limit
    case '>=':
      return value >= limit
  }
}

const heads = ['', 'median', 'min - max', 'ratio', 'min - max', 'target', '']

/** The rows as text, each group under its name. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(cellsOf)
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => (row[column] as string).length)),
  )
  const lines = [line(heads, widths)]
  let group: string | undefined
  for (const [index, row] of rows.entries()) {
    if (row.group !== group) lines.push('', row.group)
    group = row.group
    lines.push(line(cells[index] as string[], widths))
  }
  return `${lines.join('\n')}\n`
}

/** The first column is text and stands left, the others are figures and stand right. */
function line(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column] as number
    return column === 0 ? `  ${cell.padEnd(width)}` : cell.padStart(width)
  })
  return padded.join('  ').trimEnd()
}

function cellsOf({ name, unit, median: middle, min, max, ratio, target, met }: Row): string[] {
  return [
    name,
    `${figure(middle)} ${unit}`,
    `${figure(min)} - ${figure(max)}`,
    ratio === undefined ? '' : ratio.median.toFixed(2),
    ratio === undefined ? '' : `${ratio.min.toFixed(2)} - ${ratio.max.toFixed(2)}`,
    target === undefined ? '' : `${target.sign} ${target.limit}${target.of === 'figure' ? ` ${unit}` : ''}`,
    met === undefined ? '' : met ? 'met' : 'missed',
  ]
}

/** Three digits that count, and no exponent. */
function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
