/** What a lab's folder begins with. Pure. */

export interface NewLab {
  readonly title: string
  /** One line for the catalogue. */
  readonly summary: string
  /** Whether people may drive it by hand. */
  readonly session: boolean
}

/** The files of a new lab by relative path: a whole lab that a hub takes, with words on what to change. */
export function newLabFiles({ title, summary, session }: NewLab): Readonly<Record<string, string>> {
  return {
    'lab.yaml': labFile(title, summary, session),
    'README.md': readme(title, summary),
    'protocols/sweep.yaml': protocol,
  }
}

/** Any text, as YAML takes it on one line. */
const quoted = (text: string): string => JSON.stringify(text)

const labFile = (
  title: string,
  summary: string,
  session: boolean,
) => `# Editors complete and explain the keys of this file; docs/lab-builders.md tells how.
# A text may be one, or one for each language: { en: Voltage divider, es: Divisor de tensión }
title: ${quoted(title)}
summary: ${quoted(summary)}
subject: Electronics
level: beginner

# What the lab needs of a bench, by names of your own: any bench with such parts serves it.
# access is read, set or read-set; units are spelled as in UCUM: V, mA, Ohm, uF, Hz, Cel, s.
parts:
  supply:
    title: Power supply
    signals:
      voltage: { unit: V, access: read-set }
      output: { unit: "1", access: read-set, dtype: boolean }
  meter:
    title: Voltmeter
    signals:
      voltage: { unit: V, access: read }

# Narrower than what instruments and benches allow; the node enforces them, whoever calls.
limits:
  supply.voltage: { low: 0, high: 5 }
${session ? sessionAndPanel : ''}`

const sessionAndPanel = `
# People drive a bench by hand for so long; without this part the lab has runs only.
session:
  seconds: 600
  mostSeconds: 1200
  # Done before somebody gets the bench, and after, however the session ends.
  prepare:
    - set: { supply.voltage: 0, supply.output: false }
  cleanUp:
    - set: { supply.voltage: 0, supply.output: false }

# What they move and watch, on a grid of twelve columns.
panel:
  widgets:
    - { kind: switch, title: Supply on, signal: supply.output, place: { column: 1, row: 1, width: 3 } }
    - kind: slider
      title: Supply voltage
      signal: supply.voltage
      limits: { low: 0, high: 5 }
      step: 0.05
      place: { column: 4, row: 1, width: 9 }
    - { kind: number, title: Measured, signal: meter.voltage, place: { column: 1, row: 2, width: 3 } }
    - kind: chart
      title: Voltages
      signals: [supply.voltage, meter.voltage]
      seconds: 60
      place: { column: 4, row: 2, width: 9, height: 4 }
    - { kind: log, title: What was done, place: { column: 1, row: 6, width: 12, height: 2 } }
`

const readme = (title: string, summary: string) => `# ${title}

${summary}

Say here what the lab shows, what to try, and what to look for. Formulas work: $U_2 = U \\, R_2 / (R_1 + R_2)$.

## What to do

1. Run **Sweep** with the values as they are, and look at the chart.
2. Raise the highest voltage. Is the line still straight?
`

const protocol = `# What a run does. Every number that a student may change is a parameter; steps are done in order, and however a run
# ends, its bench goes to the safe state of node.yaml.
title: Sweep
summary: Steps the supply and fits a line through what the meter reads.
version: 1
# safe: after a power cut the run may begin again; never, where that would do harm.
restart: safe
parameters:
  highest:
    type: number
    unit: V
    minimum: 0.5
    maximum: 5
    default: 3
    title: Highest voltage
  points: { type: integer, minimum: 3, maximum: 100, default: 11, title: Points }
steps:
  - set: { supply.voltage: 0, supply.output: true }
  - sweep:
      variable: level
      unit: V
      from: 0
      to: highest
      points: points
      steps:
        - set: { supply.voltage: level }
        - wait: 0.05
        - read: { signals: [supply.voltage, meter.voltage] }
          label: read both voltages
# Shown as big numbers, with unit and uncertainty.
outputs:
  ratio:
    title: Measured per set
    unit: "1"
    fit: { model: linear, x: supply.voltage, y: meter.voltage, value: slope }
plots:
  - title: What the meter reads
    x: supply.voltage
    y: [meter.voltage]
    kind: scatter
    fit: ratio
`
