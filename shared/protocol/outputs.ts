import type { Scalar } from '../capabilities/signals.ts'
import { asLabError, LabError } from '../primitives/lab-error.ts'
import { convert, convertStep } from '../primitives/units.ts'
import { createColumnReader } from './column-reader.ts'
import { createCompiler } from './expression.ts'
import type { Collector, CollectorContext, OutputOptions } from './output-collector.ts'
import { createFitCollectors } from './output-fit.ts'
import { createReadingCollector, createStatisticCollector } from './output-statistic.ts'
import { naturalUnit } from './output-units.ts'
import type { FitOutput, OutputSpec, Protocol } from './protocol.ts'

export type { OutputOptions } from './output-collector.ts'

import { describeStreams, type StreamColumn } from './streams.ts'

/** A declared output of a run: its value in the declared unit, or why there is none. */
export type OutputResult =
  | { readonly value: number; readonly unit: string; readonly uncertainty?: number }
  | { readonly missing: string }

/** The values of one column; what is not a number or true/false is skipped by the outputs that need it. */
export type ColumnValues = ArrayLike<Scalar | null>

/** Takes in the rows of a run and keeps only what the declared outputs need. */
export interface OutputCollector {
  /** One row; keys are column keys (`part.signal`, variables, derived names). Never keeps the record. */
  row(stream: string, columns: Readonly<Record<string, Scalar | null>>, timeS: number): void
  /** `count` rows; arrays may be longer and are never kept. */
  page(stream: string, count: number, timeS: ArrayLike<number>, columns: Readonly<Record<string, ColumnValues>>): void
  /** The outputs by name. Never rejects; gives way to the event loop while it fits. */
  finish(): Promise<Record<string, OutputResult>>
}

interface Entry {
  readonly output: OutputSpec
  readonly collector: Collector
  used: number
  problem: string | undefined
}

/** A collector for the protocol's outputs. */
export function createOutputs(protocol: Protocol, options: OutputOptions): OutputCollector {
  const compile = createCompiler()
  const streams = describeStreams(protocol, options.parts)
  const reader = createColumnReader(options.parameters)
  const entries = new Map<string, Entry>()
  const byStream = new Map<string, Entry[]>()
  const firstTime = new Map<string, number>()
  const contexts = new Map<string, Collectors>()
  const collectorsOf = (stream: string): Collectors => {
    const context = { compile, options, columns: streams[stream]?.columns ?? [] }
    const made = contexts.get(stream) ?? { context, fits: createFitCollectors(context) }
    contexts.set(stream, made)
    return made
  }
  for (const [name, output] of Object.entries(protocol.outputs)) {
    const { from } = output
    const collector = createCollector(output, collectorsOf(from.stream))
    const entry: Entry = { output, collector, used: 0, problem: undefined }
    entries.set(name, entry)
    byStream.set(from.stream, [...(byStream.get(from.stream) ?? []), entry])
  }

  const take = (entry: Entry): void => {
    try {
      entry.collector.row(reader)
      entry.used += 1
    } catch (error) {
      if (!(error instanceof LabError)) throw error
      entry.problem ??= error.message
    }
  }
  const page: OutputCollector['page'] = (stream, count, timeS, columns) => {
    const wanted = byStream.get(stream)
    if (wanted === undefined || count === 0) return
    const first = firstTime.get(stream) ?? (timeS[0] as number)
    firstTime.set(stream, first)
    reader.open(timeS, columns, first)
    for (const entry of wanted) {
      for (let i = 0; i < count; i++) {
        reader.index = i
        take(entry)
      }
    }
    reader.close()
  }
  return {
    page,
    row: (stream, columns, timeS) => {
      if (!byStream.has(stream)) return
      page(stream, 1, [timeS], Object.fromEntries(Object.entries(columns).map(([key, value]) => [key, [value]])))
    },
    finish: async () => {
      const results: Record<string, OutputResult> = {}
      for (const [name, entry] of entries) {
        const columns = streams[entry.output.from.stream]?.columns ?? []
        results[name] = await resultOf(entry, columns)
      }
      return results
    },
  }
}

/** What makes the collectors of one stream. */
interface Collectors {
  readonly context: CollectorContext
  readonly fits: (from: FitOutput) => Collector
}

function createCollector({ from }: OutputSpec, { context, fits }: Collectors): Collector {
  switch (from.kind) {
    case 'reading':
      return createReadingCollector(from, context)
    case 'statistic':
      return createStatisticCollector(from, context)
    case 'fit':
      return fits(from)
  }
}

async function resultOf(entry: Entry, columns: readonly StreamColumn[]): Promise<OutputResult> {
  const { output, collector } = entry
  if (entry.used === 0) {
    const { stream } = output.from
    return {
      missing: entry.problem === undefined ? `stream ${stream} got no rows` : `no row could be used: ${entry.problem}`,
    }
  }
  try {
    const collected = await collector.finish()
    if ('missing' in collected) return collected
    const natural = naturalUnit(output.from, columns) ?? output.unit
    const value = convert(collected.value, natural, output.unit)
    if (!Number.isFinite(value)) return { missing: 'the value is not a finite number' }
    const { uncertainty } = collected
    if (uncertainty === undefined || !Number.isFinite(uncertainty)) return { value, unit: output.unit }
    return { value, unit: output.unit, uncertainty: Math.abs(convertStep(uncertainty, natural, output.unit)) }
  } catch (error) {
    return { missing: asLabError(error).message }
  }
}
