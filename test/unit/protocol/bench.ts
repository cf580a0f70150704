/** Instruments and a protocol that the tests of the language share. */
import type { InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import { formatIssues } from '@fernlab/shared/primitives/lab-error'
import { parseProtocol } from '@fernlab/shared/protocol/parse'
import type { Protocol } from '@fernlab/shared/protocol/protocol'

const signal = (name: string, unit: string, more: Partial<SignalSpec> = {}): SignalSpec => ({
  name,
  unit,
  dtype: 'number',
  shape: [],
  kind: 'reading',
  access: 'read',
  ...more,
})

export const supply: InstrumentSpec = {
  name: 'psu-1',
  driver: 'scpi',
  signals: [
    signal('voltage', 'V', {
      access: 'read-set',
      limits: { low: 0, high: 30 },
      setS: 0.02,
      settlingS: 0.05,
      readS: 0.01,
    }),
    signal('output', '1', { access: 'read-set', dtype: 'boolean' }),
    signal('mode', '1', { access: 'set', dtype: 'string', kind: 'configuration' }),
  ],
  actions: [
    {
      name: 'selftest',
      arguments: { depth: { type: 'integer', maximum: 9, default: 1 }, level: { type: 'number', unit: 'V' } },
      typicalS: 2,
    },
  ],
}

export const meter: InstrumentSpec = {
  name: 'dmm-1',
  driver: 'scpi',
  signals: [
    signal('voltage', 'V', {
      readS: 0.1,
      maxRateHz: 50,
      uncertainty: { absolute: 0.001, relative: 0.01 },
      precision: 4,
    }),
    signal('current', 'A', { readS: 0.1, maxRateHz: 50 }),
    signal('label', '1', { dtype: 'string' }),
  ],
  actions: [],
}

export const parts: Readonly<Record<string, InstrumentSpec>> = { supply, meter }

/** The protocol, or a failure that shows its issues. */
export function mustParse(text: string): Protocol {
  const { protocol, issues } = parseProtocol(text, { file: 'test.yaml' })
  if (protocol === undefined) throw new TypeError(formatIssues(issues))
  return protocol
}

/** A protocol with these steps (YAML flow or block list, indented by two). */
export const withSteps = (steps: string, rest = ''): string => `title: Test\nversion: 1\n${rest}\nsteps:\n${steps}\n`
