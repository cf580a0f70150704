import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench } from '@fernlab/shared/contracts/api'

/** A signal of a bench that can be calibrated. */
export interface CalibratedSignal {
  /** `instrument.signal`, as nodes name it. */
  readonly key: string
  /** `part.signal`, as benches name it. */
  readonly ofPart: string
  readonly spec: SignalSpec
}

/** The numbers of its instruments; one that two parts share, once. */
export function numbersOf(bench: Pick<Bench, 'parts'>): CalibratedSignal[] {
  const found = new Map<string, CalibratedSignal>()
  for (const [part, { instrument, signals }] of Object.entries(bench.parts)) {
    for (const spec of signals as readonly SignalSpec[]) {
      const key = `${instrument}.${spec.name}`
      if (spec.dtype === 'number' && !found.has(key)) found.set(key, { key, ofPart: `${part}.${spec.name}`, spec })
    }
  }
  return [...found.values()]
}
