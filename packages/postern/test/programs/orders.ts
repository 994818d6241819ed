/** How a program takes orders from the test that started it: JSON values, one a line, in by stdin and out by stdout. */

import { createInterface } from 'node:readline'

/** Carries out one order after the other, and ends the program when nobody can give any more. */
export function takeOrders<Order>(carryOut: (order: Order) => unknown): void {
  const take = async (): Promise<void> => {
    for await (const line of createInterface({ input: process.stdin })) {
      const answer: unknown = await carryOut(JSON.parse(line) as Order)
      process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
    }
    process.exit()
  }
  void take()
}
