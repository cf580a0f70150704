/** What became of a driver's test, as text for a terminal. */
import type { InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { CaseOutcome, TestedDriver } from './test-driver.ts'

/** What the driver says it is. */
export function specLines(folder: string, on: string, { model, driver, signals, actions }: InstrumentSpec): string[] {
  return [
    `${folder}, ${on}: ${model ?? driver} (driver ${driver})`,
    ...signals.map((signal) => `  signal ${signalText(signal)}`),
    ...actions.map(({ name }) => `  action ${name}`),
    '',
  ]
}

function signalText({ name, unit, dtype, access, limits }: SignalSpec): string {
  const { low, high } = limits ?? {}
  const range = limits === undefined ? [] : [`${low ?? 'any'} to ${high ?? 'any'}`]
  return `${name}: ${[...(unit === '1' ? [] : [unit]), dtype, access, ...range].join(', ')}`
}

/** One case; what is wrong, and what the driver said meanwhile, stands below. */
export function outcomeLines(outcome: CaseOutcome): string[] {
  switch (outcome.outcome) {
    case 'passed':
      return [`  ok    ${outcome.case}`]
    case 'not-for-this-one':
      return [`  -     ${outcome.case}`, `        not for this one: ${outcome.why}`]
    case 'failed':
      return [
        `  FAIL  ${outcome.case}`,
        ...outcome.why.split('\n').map((line) => `        ${line}`),
        ...outcome.said.map((line) => `        | ${line}`),
      ]
  }
}

/** `11 passed, 1 failed`, and what was not tried. */
export function sumLines({ outcomes, others }: TestedDriver): string[] {
  const count = (wanted: CaseOutcome['outcome']) => outcomes.filter(({ outcome }) => outcome === wanted).length
  const unfit = count('not-for-this-one')
  const sum = `${count('passed')} passed, ${count('failed')} failed${unfit === 0 ? '' : `, ${unfit} not for this one`}`
  return ['', sum, ...others.map((name) => `not tried: ${name}; --on ${name} does that`)]
}
