import { describe, expectTypeOf, test } from 'vitest'
import { struct } from './struct.ts'
import type { StructInput as Input } from './struct-types.ts'
import type { StructValue } from './struct-values.ts'

const bytes = new Uint8Array()
declare const count: number
declare const text: string

describe('struct', () => {
  test('gives a tuple where its format is known', () => {
    expectTypeOf(struct('<Iq?4s').unpack(bytes)).toEqualTypeOf<[number, bigint, boolean, Uint8Array]>()
    expectTypeOf(struct('!2h 3xc5p').unpack(bytes)).toEqualTypeOf<[number, number, Uint8Array, Uint8Array]>()
    expectTypeOf(struct('0i').unpack(bytes)).toEqualTypeOf<[]>()
    expectTypeOf(struct('<12f').unpack(bytes)['length']).toEqualTypeOf<12>()
  })

  test('knows that l is larger in native formats', () => {
    expectTypeOf(struct('lL').unpack(bytes)).toEqualTypeOf<[bigint, bigint]>()
    expectTypeOf(struct('@l').unpack(bytes)).toEqualTypeOf<[bigint]>()
    expectTypeOf(struct('<lL').unpack(bytes)).toEqualTypeOf<[number, number]>()
  })

  test('gives an array where a count is large, and where the format is not known', () => {
    expectTypeOf(struct('<1000f').unpack(bytes)).toEqualTypeOf<number[]>()
    expectTypeOf(struct('<I1000f').unpack(bytes)).toEqualTypeOf<[number, ...number[]]>()
    expectTypeOf(struct('<I' as string).unpack(bytes)).toEqualTypeOf<StructValue[]>()
  })

  test('knows as much as there is to be known of a format that is put together', () => {
    expectTypeOf(struct(`<${count}f`).unpack(bytes)).toEqualTypeOf<number[]>()
    expectTypeOf(struct(`<I${count}sq`).unpack(bytes)).toEqualTypeOf<[number, Uint8Array, bigint]>()
    expectTypeOf(struct(`!I1${count}q`).unpack(bytes)).toEqualTypeOf<[number, ...bigint[]]>()
    expectTypeOf(struct(`<I${text}`).unpack(bytes)).toEqualTypeOf<[number, ...StructValue[]]>()
    expectTypeOf(struct(`<q${text}I`).unpack(bytes)).toEqualTypeOf<[bigint, ...StructValue[]]>()
    expectTypeOf(struct(`${text}I`).unpack(bytes)).toEqualTypeOf<StructValue[]>()
  })

  test('takes 64-bit integers as numbers too, and nothing of another type', () => {
    struct('<qf').pack([5, 1.5])
    struct('<qf').pack([5n, 1.5])
    expectTypeOf<Input<'<qf'>>().toEqualTypeOf<readonly [number | bigint, number]>()
    expectTypeOf<Input<'<?s'>>().toEqualTypeOf<readonly [boolean, Uint8Array]>()
    expectTypeOf<Input<string>>().toEqualTypeOf<readonly StructValue[]>()
    struct('<10f').pack([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})
