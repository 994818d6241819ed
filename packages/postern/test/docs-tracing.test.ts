import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { Tracer } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'prom-client'
import ts from 'typescript'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../src/app/connect.ts'
import { serve } from '../src/app/serve.ts'

/** The block of docs/tracing.md that begins with this comment, as a module that runs. */
async function moduleOf(name: string): Promise<Record<string, unknown>> {
  const page = await readFile(new URL('../../../docs/tracing.md', import.meta.url), 'utf8')
  const [, block] = new RegExp(`\`\`\`ts\\n(// ${name}\\.ts\\n[^]*?)\`\`\``).exec(page) ?? []
  if (block === undefined) throw new Error(`docs/tracing.md has no block ${name}.ts`)
  const { outputText } = ts.transpileModule(block, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
  })
  // Beside this file, so that it finds its packages.
  const directory = await mkdtemp(new URL('.docs-tracing-', import.meta.url).pathname)
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(`${directory}/${name}.mjs`, outputText)
  return (await import(/* @vite-ignore */ pathToFileURL(`${directory}/${name}.mjs`).href)) as Record<string, unknown>
}

async function someCalls(name: string): Promise<void> {
  const server = await serve({ echo: (params: unknown) => params }, { at: `memory:${name}` })
  const connection = await connect(`memory:${name}`, { postern: true })
  await connection.call('echo', [1])
  await connection.call('missing').catch(() => undefined)
  await connection.close()
  await server.close()
}

describe('docs/tracing.md', () => {
  it('makes spans for OpenTelemetry', async () => {
    const exporter = new InMemorySpanExporter()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
    const { traceCalls } = (await moduleOf('opentelemetry')) as { traceCalls: (tracer: Tracer) => void }
    traceCalls(provider.getTracer('test'))
    await someCalls('spans')
    const spans = exporter
      .getFinishedSpans()
      .map(({ name, kind, attributes }) => [name, kind, attributes['postern.code']])
    expect(spans).toHaveLength(4)
    expect(spans).toContainEqual(['echo', 1, 'ok'])
    expect(spans).toContainEqual(['echo', 2, 'ok'])
    expect(spans).toContainEqual(['missing', 1, 'unknown_method'])
    expect(spans).toContainEqual(['missing', 2, 'unknown_method'])
  })

  it('counts calls for Prometheus', async () => {
    const registry = new Registry()
    const { countCalls } = (await moduleOf('prometheus')) as { countCalls: (registry: Registry) => void }
    countCalls(registry)
    await someCalls('counted')
    const text = await registry.metrics()
    expect(text).toContain('postern_call_seconds_count{side="client",method="echo",code="ok"} 1')
    expect(text).toContain('postern_call_seconds_count{side="server",method="echo",code="ok"} 1')
    expect(text).toContain('postern_call_seconds_count{side="server",method="unknown",code="unknown_method"} 1')
  })
})
