import type { NodeConfig } from '../config/config.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { type Bench, type CreateBenchOptions, createBench } from './bench.ts'

export interface ConfiguredBenchesOptions
  extends Pick<CreateBenchOptions, 'clock' | 'log' | 'faultPoint' | 'newId' | 'onValue'> {
  readonly file: Pick<NodeConfig['file'], 'benches' | 'interlocks'>
  readonly instruments: ReadonlyMap<string, InstrumentHandle>
  /** The newest fence of each, from before. */
  readonly fences: ReadonlyMap<string, number>
}

/** The benches of node.yaml by name, in its order, each with its instruments and the interlocks that keep it safe. */
export function createConfiguredBenches(options: ConfiguredBenchesOptions): Map<string, Bench> {
  const { file, instruments, fences, ...common } = options
  const benches = new Map<string, Bench>()
  for (const [name, entry] of Object.entries(file.benches)) {
    const parts = new Map<string, InstrumentHandle>()
    for (const [part, instrument] of Object.entries(entry.parts)) {
      const handle = instruments.get(instrument)
      if (handle !== undefined) parts.set(part, handle)
    }
    const interlocks = Object.fromEntries(Object.entries(file.interlocks).filter(([, one]) => one.bench === name))
    benches.set(name, createBench({ ...common, name, entry, parts, interlocks, fence: fences.get(name) ?? 0 }))
  }
  return benches
}
