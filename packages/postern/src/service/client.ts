/**
 * A contract as an object with one function a method: the typed face of a connection.
 */

import { PosternError } from '../core/errors.ts'
import type { Caller } from '../rpc/incoming-call.ts'
import type { CallOptions } from '../rpc/pending-calls.ts'
import { type Contract, type Method, type Methods, type ParamsOf, type ResultOf, wireName } from './contract.ts'
import { checkValue, type Issue, issueText } from './standard-schema.ts'

/** What a typed call may say: everything but `raw`, which would not be what the contract promises. */
export type ApiCallOptions = Omit<CallOptions, 'raw'>

/** A method of a contract as a function. */
export type ApiFunction<M> =
  unknown extends ParamsOf<M>
    ? (params?: unknown, options?: ApiCallOptions) => Promise<ResultOf<M>>
    : undefined extends ParamsOf<M>
      ? (params?: ParamsOf<M>, options?: ApiCallOptions) => Promise<ResultOf<M>>
      : (params: ParamsOf<M>, options?: ApiCallOptions) => Promise<ResultOf<M>>

/** The methods of a contract as functions. */
export type Api<M extends Methods> = { readonly [K in keyof M]: ApiFunction<M[K]> }

/** Makes the functions. They stand on an object without a prototype, so that nothing else can be called on it. */
export function apiOf<M extends Methods>(contract: Contract<M>, caller: Caller): Api<M> {
  const api: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [key, method] of Object.entries<Method>(contract.methods)) {
    const name = wireName(contract, key)
    api[key] = async (params?: unknown, options: ApiCallOptions = {}): Promise<unknown> => {
      const result = await caller.call(name, positionalParams(params, name, method), options)
      return method.returns === undefined
        ? result
        : checkValue(method.returns, result, (issues) => badResult(name, issues))
    }
  }
  return Object.freeze(api) as Api<M>
}

/** An array is a list of positional parameters on the wire; for a method that takes one value it would be taken apart. */
function positionalParams(params: unknown, name: string, method: Method): unknown {
  if (Array.isArray(params) && method.positional !== true) {
    throw new TypeError(`${name} takes one value: put the array in an object, or mark the method as positional`)
  }
  return params
}

function badResult(name: string, issues: readonly Issue[]): PosternError {
  return new PosternError('bad_message', `the answer of ${name} is not what the contract says: ${issueText(issues)}`, {
    details: { issues },
  })
}
