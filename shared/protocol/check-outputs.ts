import type { InstrumentSpec } from '../capabilities/signals.ts'
import type { Finding } from '../contracts/yaml-file.ts'
import { dimensionName, sameDimension } from '../primitives/units.ts'
import { naturalUnit } from './output-units.ts'
import type { Protocol } from './protocol.ts'
import { unitOf } from './quantities.ts'
import { describeStreams } from './streams.ts'

/** Outputs whose declared unit cannot be what they measure. */
export function checkOutputUnits(protocol: Protocol, parts: Readonly<Record<string, InstrumentSpec>>): Finding[] {
  const streams = describeStreams(protocol, parts)
  const findings: Finding[] = []
  for (const [name, { from, unit }] of Object.entries(protocol.outputs)) {
    const columns = streams[from.stream]?.columns ?? []
    const natural = naturalUnit(from, columns)
    if (natural !== undefined && !sameDimension(natural, unit)) {
      findings.push({
        path: ['outputs', name, 'unit'],
        message: `${unit} is ${dimensionName(unit)}, but what is computed is ${dimensionName(natural)} (${natural})`,
      })
    }
    if (from.kind !== 'statistic' || from.threshold === undefined) continue
    const level = unitOf(from.threshold)
    const column = columns.find(({ key }) => key === from.signal.trim())
    if (level !== undefined && column !== undefined && !sameDimension(level, column.unit)) {
      findings.push({
        path: ['outputs', name, 'statistic', 'threshold'],
        message: `${level} is ${dimensionName(level)}, but ${column.key} is ${dimensionName(column.unit)}`,
      })
    }
  }
  return findings
}
