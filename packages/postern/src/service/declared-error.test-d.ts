import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { contract, type DeclaredError, type DeclaredErrorOf, isDeclaredError, method, stream } from '../index.ts'

const bank = contract('bank', {
  transfer: method({
    errors: { insufficient_funds: z.object({ missing: z.string().transform(Number) }), frozen: null },
  }),
  plain: method(),
  blocks: stream(),
})
const caught: unknown = null

it('narrows an error to what the contract says of its code', () => {
  if (isDeclaredError(caught, bank.members.transfer, 'insufficient_funds')) {
    expectTypeOf(caught.code).toEqualTypeOf<'insufficient_funds'>()
    expectTypeOf(caught.details).toEqualTypeOf<{ missing: number }>()
    expectTypeOf(caught.message).toEqualTypeOf<string>()
    expectTypeOf(caught.retryable).toEqualTypeOf<boolean>()
  }
  if (isDeclaredError(caught, bank.members.transfer, 'frozen')) expectTypeOf(caught.details).toEqualTypeOf<undefined>()
})

it('narrows to any of them where no code is asked for, and each code then narrows the details', () => {
  if (!isDeclaredError(caught, bank.members.transfer)) return
  expectTypeOf(caught.code).toEqualTypeOf<'insufficient_funds' | 'frozen'>()
  if (caught.code === 'insufficient_funds') expectTypeOf(caught.details).toEqualTypeOf<{ missing: number }>()
  else expectTypeOf(caught.details).toEqualTypeOf<undefined>()
  expectTypeOf(caught).toExtend<DeclaredError>()
  expectTypeOf(caught).toEqualTypeOf<DeclaredErrorOf<typeof bank.members.transfer>>()
})

it('refuses codes that are not declared, and what is no method', () => {
  // @ts-expect-error not declared
  isDeclaredError(caught, bank.members.transfer, 'no_such_account')
  // @ts-expect-error one of Postern's own
  isDeclaredError(caught, bank.members.transfer, 'closed')
  // @ts-expect-error declares none
  isDeclaredError(caught, bank.members.plain, 'frozen')
  // @ts-expect-error a stream declares none
  isDeclaredError(caught, bank.members.blocks, 'frozen')
})
