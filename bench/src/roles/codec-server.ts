/** Echoes what it is sent, in whatever conversation the client begins. */

import { serve } from 'postern'
import { asText, fromText, type TextAttachment } from '../codec-payloads.ts'
import { serveAs } from './role.ts'

export interface CodecServerTask {
  readonly path: string
}

await serveAs<CodecServerTask>(async ({ path }) => {
  const server = await serve({ echo, echoText }, { at: `unix:${path}` })
  return () => server.close()
})

function echo(params: unknown): unknown {
  return params
}

/** For bytes in JSON: a handler wants them as bytes, and so does the one who asked. */
function echoText(params: unknown): unknown {
  return asText(fromText(params as TextAttachment))
}
