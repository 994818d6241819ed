/**
 * Errors that a contract declares: made by a handler with `ctx.fail()`, told to the caller with their own code.
 *
 * ```
 * {"code":-32000,"message":"...","data":{"code":"insufficient_funds","details":{"missing":12}}}
 * ```
 */

import { type ErrorCode, isPosternError, PosternError } from '../core/errors.ts'
import { declaredErrorNumber } from '../protocols/json-rpc-codes.ts'
import type { ErrorSchemas, ErrorsOf, MethodMember } from './members.ts'
import { checkValue, issueText, type OutputOf } from './standard-schema.ts'

/** An error that a contract declares. */
export type DeclaredError<Code extends string = string, Details = unknown> = Omit<PosternError, 'code' | 'details'> & {
  readonly code: Code
  readonly details: Details
}

type DetailsOf<Schema> = Schema extends null ? undefined : OutputOf<Schema>

/** One of the errors that a method declares. */
export type DeclaredErrorOf<M, Code extends keyof ErrorsOf<M> & string = keyof ErrorsOf<M> & string> = {
  readonly [C in Code]: DeclaredError<C, DetailsOf<ErrorsOf<M>[C]>>
}[Code]

/**
 * Whether a caught value is an error that the method declares, of the given code where one is given. Its `details` are
 * then what the contract says.
 *
 * @example
 * ```ts
 * try {
 *   await connection.api.transfer({ to: 'alice', amount: 5 })
 * } catch (error) {
 *   if (!isDeclaredError(error, bank.members.transfer, 'insufficient_funds')) throw error
 *   console.error(`${error.details.missing} are missing`)
 * }
 * ```
 */
export function isDeclaredError<M extends MethodMember, Code extends keyof ErrorsOf<M> & string>(
  error: unknown,
  member: M,
  code?: Code,
): error is DeclaredErrorOf<M, Code> {
  if (!isPosternError(error) || !Object.hasOwn(member.errors ?? {}, error.code)) return false
  return code === undefined || (error.code as string) === code
}

/** The error as its contract declares it; the same error when it declares none such, or other details. */
export async function asDeclared(error: unknown, errors: ErrorSchemas, name: string): Promise<unknown> {
  if (!isPosternError(error, 'remote')) return error
  const { code: number, message, data } = error.details as { code?: unknown; message?: unknown; data?: unknown }
  if (number !== declaredErrorNumber || typeof data !== 'object' || data === null) return error
  const { code, details } = data as { code?: unknown; details?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(errors, code)) return error
  const schema = errors[code]
  const checked =
    schema == null
      ? undefined
      : await checkValue(schema, details, (issues) => badDetails(name, code, issueText(issues)))
  return new PosternError(code as ErrorCode, `${name}: ${String(message)}`, { details: checked, cause: error })
}

function badDetails(name: string, code: string, issues: string): PosternError {
  return new PosternError(
    'bad_message',
    `the details of ${name}'s error ${code} are not what the contract says: ${issues}`,
  )
}
