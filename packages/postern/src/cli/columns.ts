/**
 * Rows of cells as lines: under one another for people, with tabs between them for programs. What stands last is not
 * padded. The cells hold no line breaks and no tabs.
 */
export function columns(rows: readonly (readonly string[])[], aligned: boolean): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  const line = (row: readonly string[]): string =>
    aligned
      ? row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()
      : row.join('\t')
  return rows.map((row) => `${line(row)}\n`).join('')
}
