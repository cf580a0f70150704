/** Interlocks of node.yaml: against the benches of the file, and against the instruments as they were made. */
import type { InterlockEntry } from '@fernlab/shared/contracts/interlocks'
import type { BenchEntry, NodeFile } from '@fernlab/shared/contracts/node-file'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { checkSet } from '../instruments/check-set.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { conditionFindings, unfitCondition } from '../interlocks/condition.ts'

/** What the file says of itself; pure. */
export function interlockFindings({ benches, interlocks }: Pick<NodeFile, 'benches' | 'interlocks'>): Finding[] {
  return Object.entries(interlocks).flatMap(([name, entry]) => {
    const bench = Object.hasOwn(benches, entry.bench) ? benches[entry.bench] : undefined
    const found: Finding[] =
      bench === undefined
        ? [
            {
              path: ['bench'],
              message: `there is no bench ${entry.bench}${didYouMean(entry.bench, Object.keys(benches))}`,
            },
          ]
        : againstBench(entry, bench)
    return found.map(({ path, message }) => ({ path: ['interlocks', name, ...path], message }))
  })
}

function againstBench(entry: InterlockEntry, bench: BenchEntry): Finding[] {
  const parts = Object.keys(bench.parts)
  const findings = conditionFindings(entry.when, parts)
  for (const key of Object.keys(entry.safeState ?? {})) {
    const part = key.slice(0, key.indexOf('.'))
    if (!parts.includes(part))
      findings.push({ path: ['safeState', key], message: `the bench has no part ${part}${didYouMean(part, parts)}` })
    else if (!Object.hasOwn(bench.safeState ?? {}, key)) {
      const message = `bench ${entry.bench} has no ${key} in its safeState: nothing would take this back when the interlock is clear again`
      findings.push({ path: ['safeState', key], message })
    }
  }
  if (Object.keys({ ...bench.safeState, ...entry.safeState }).length === 0)
    findings.push({ path: ['bench'], message: `bench ${entry.bench} has no safeState: there is nothing to force` })
  return findings
}

/** What the instruments have against them. */
export function unfitInterlocks(
  { benches, interlocks }: Pick<NodeFile, 'benches' | 'interlocks'>,
  instruments: ReadonlyMap<string, InstrumentHandle>,
): Finding[] {
  return Object.entries(interlocks).flatMap(([name, entry]) => {
    const bench = benches[entry.bench]
    if (bench === undefined) return []
    const specOf = (key: string) => {
      const [part = '', signal = ''] = key.split('.')
      return instruments.get(bench.parts[part] ?? '')?.spec.signals.find((spec) => spec.name === signal)
    }
    const findings = unfitCondition(entry.when, specOf)
    for (const [key, value] of Object.entries(entry.safeState ?? {})) {
      const spec = specOf(key)
      if (spec === undefined) {
        findings.push({ path: ['safeState', key], message: `there is no signal ${key} on this bench` })
        continue
      }
      try {
        checkSet({ label: key, spec, value, limits: [{ of: 'bench', limits: bench.limits?.[key] }] })
      } catch (thrown) {
        findings.push({ path: ['safeState', key], message: asLabError(thrown).message })
      }
    }
    return findings.map(({ path, message }) => ({ path: ['interlocks', name, ...path], message }))
  })
}
