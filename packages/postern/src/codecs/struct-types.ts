/** The values of a format as types, where the compiler knows the format. */

import type { StructValue } from './struct-values.ts'

/** What unpacking gives: a tuple, where the format and its counts are known, and the counts are below 100. */
export type StructValues<Format extends string> = string extends Format
  ? StructValue[]
  : Format extends `${'<' | '>' | '!' | '='}${infer Items}`
    ? ValuesOf<Items, 'standard'>
    : Format extends `@${infer Items}`
      ? ValuesOf<Items, 'native'>
      : ValuesOf<Format, 'native'>

/** What packing takes: the same, with 64-bit integers as `number` too. */
export type StructInput<Format extends string> = InputOf<StructValues<Format>>

type InputOf<Values extends StructValue[]> = {
  readonly [Index in keyof Values]: bigint extends Values[Index] ? Values[Index] | number : Values[Index]
}

type Sizes = 'standard' | 'native'

/** Goes through the characters: digits, or a number in their place, are collected, and what follows them makes values. */
type ValuesOf<
  Text extends string,
  In extends Sizes,
  Count extends string = '',
  Values extends StructValue[] = [],
> = Text extends `${infer First}${infer Rest}`
  ? First extends `${number}`
    ? ValuesOf<Rest, In, `${Count}${First}`, Values>
    : IsKnown<First> extends true
      ? ValuesOf<Rest, In, '', [...Values, ...ItemOf<First, In, Count>]>
      : [...Values, ...StructValue[]]
  : IsKnown<Text> extends true
    ? Values
    : [...Values, ...StructValue[]]

/** False for `string`, and for what was put together of it. */
type IsKnown<Text extends string> = Record<never, never> extends Record<Text, unknown> ? false : true

type ItemOf<Character extends string, In extends Sizes, Count extends string> = Character extends 's' | 'p'
  ? [Uint8Array]
  : Character extends 'x' | ' ' | '\t' | '\n'
    ? []
    : Repeated<ValueOf<Character, In>, Count>

type ValueOf<Character extends string, In extends Sizes> = Character extends 'c'
  ? Uint8Array
  : Character extends '?'
    ? boolean
    : Character extends 'q' | 'Q' | 'n' | 'N' | 'P'
      ? bigint
      : `${Character} ${In}` extends 'l native' | 'L native'
        ? bigint
        : number

type TensDigit = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9
type Digit = 0 | TensDigit

type Repeated<Value extends StructValue, Count extends string> = Count extends ''
  ? [Value]
  : Count extends `${Digit}` | `${TensDigit}${Digit}`
    ? Times<Value, Count>
    : Value[]

type Times<
  Value extends StructValue,
  Count extends string,
  Made extends Value[] = [],
> = `${Made['length']}` extends Count ? Made : Times<Value, Count, [...Made, Value]>
