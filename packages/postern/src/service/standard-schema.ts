/**
 * The part of Standard Schema v1 that Postern uses: any library that implements it (zod, valibot, arktype) gives a
 * contract its types and its checks. Source: standardschema.dev, and its JSON Schema extension.
 */

/** A schema of another library. `In` is what is given to it, `Out` what comes out of its check. */
export interface StandardSchema<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>
    readonly types?: { readonly input: In; readonly output: Out } | undefined
    /** Where the library can describe its schemas: what a caller has to send. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: string }) => Record<string, unknown>
      readonly output: (options: { readonly target: string }) => Record<string, unknown>
    }
  }
}

/** What a check says: the value, or what is wrong with it. */
export type SchemaResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What is given to a schema. */
export type InputOf<S> = S extends StandardSchema<infer In, unknown> ? In : unknown

/** What comes out of a schema's check. */
export type OutputOf<S> = S extends {
  readonly '~standard': { readonly types?: { readonly output: infer Out } | undefined }
}
  ? Out
  : unknown

/** The value that the schema makes of a value, at once where the schema can; throws what `refuse` makes of the issues. */
export function checkValue(
  schema: StandardSchema,
  value: unknown,
  refuse: (issues: readonly Issue[]) => Error,
): unknown {
  const result = schema['~standard'].validate(value)
  return result instanceof Promise ? result.then((settled) => valueOf(settled, refuse)) : valueOf(result, refuse)
}

/**
 * Like `checkValue`, for what came from the other side: the wire has no undefined, and `null` stands for it. So either of
 * the two is checked as it is, and as the other one where the schema does not take it.
 */
export function checkReceived(
  schema: StandardSchema,
  value: unknown,
  refuse: (issues: readonly Issue[]) => Error,
): unknown {
  if (value !== null && value !== undefined) return checkValue(schema, value, refuse)
  const { validate } = schema['~standard']
  const other = value === null ? undefined : null
  const decide = (result: SchemaResult<unknown>): unknown => {
    if (result.issues === undefined) return result.value
    const second = validate(other)
    const choose = (settled: SchemaResult<unknown>): unknown =>
      valueOf(settled.issues === undefined ? settled : result, refuse)
    return second instanceof Promise ? second.then(choose) : choose(second)
  }
  const first = validate(value)
  return first instanceof Promise ? first.then(decide) : decide(first)
}

/** One thing that is wrong with a value: where, as a path of keys, and why. */
export interface Issue {
  readonly path: string
  readonly message: string
}

function valueOf(result: SchemaResult<unknown>, refuse: (issues: readonly Issue[]) => Error): unknown {
  if (result.issues === undefined) return result.value
  throw refuse(result.issues.map(({ message, path = [] }) => ({ path: path.map(keyText).join('.'), message })))
}

function keyText(key: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof key === 'object' ? key.key : key)
}

/** The issues in one line. */
export function issueText(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
}

/** What the library says of the schema in JSON Schema, or the schema that allows everything. */
export function jsonSchemaOf(
  schema: StandardSchema | undefined,
  direction: 'input' | 'output',
): Record<string, unknown> {
  const describe = schema?.['~standard'].jsonSchema
  if (describe === undefined) return {}
  try {
    return describe[direction]({ target: 'draft-07' })
  } catch {
    // A schema may hold what JSON Schema cannot say, such as a transformation.
    return {}
  }
}
