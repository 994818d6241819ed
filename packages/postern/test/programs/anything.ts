import type { StandardSchema } from '../../src/index.ts'

/** The type of a value for a contract, without a check: a library that checks takes longer to load than these programs live. */
export function anything<T>(): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'postern-test', validate: (value) => ({ value: value as T }) } }
}
