import { readFile } from 'node:fs/promises'
import {
  type Calibration,
  type CalibrationRecord,
  type Curve,
  curveSchema,
  signalCalibrationsSchema,
} from '@fernlab/shared/contracts/calibrations'
import { lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import * as z from 'zod'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt, mistake } from '../problem.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'

interface CalibrateOptions extends HubOptions {
  readonly linear?: string
  readonly polynomial?: string
  readonly table?: string
  readonly extrapolate?: boolean
  readonly clear?: boolean
  readonly undo?: boolean
  readonly show?: boolean
  readonly validUntil?: string
  readonly uncertainty?: string
  readonly note?: string
}

const whatToDo = ['linear', 'polynomial', 'table', 'clear', 'undo', 'show'] as const

/** `node calibrate`: how raw values of a signal become values. */
export function addCalibrate(node: Command, context: Context): void {
  const { terminal } = context
  withHub(
    node
      .command('calibrate <node> [signal]')
      .description('say how raw values of <instrument>.<signal> become values, or show, undo or end that'),
  )
    .option('--linear <gain,offset>', 'value = gain · raw + offset')
    .option('--polynomial <c0,c1,…>', 'value = c0 + c1 · raw + c2 · raw² …')
    .option('--table <file>', 'a CSV file with raw value and value in each line, ascending; lines between them')
    .option('--extrapolate', 'draw the first and the last line of the table on')
    .option('--valid-until <date>', 'the last day on which it is good, such as 2027-05-31')
    .option('--uncertainty <u>', "its standard uncertainty, in the signal's unit")
    .option('--note <text>', 'how it was found')
    .option('--clear', 'raw values count from now on')
    .option('--undo', 'put the one before in force again')
    .option('--show', 'list them, also of all signals of the node')
    .action(async (name: string, signal: string | undefined, options: CalibrateOptions) => {
      const asked = whatToDo.filter((each) => options[each] !== undefined)
      if (asked.length !== 1) {
        const all = whatToDo.map((each) => `--${each}`).join(', ')
        throw misspelt('calibration-unclear', `give one of ${all}`)
      }
      const path = `/api/v1/nodes/${encodeURIComponent(name)}/calibrations`
      if (options.show) {
        const client = await openHub(context, options)
        const { items } = await client.call(z.object({ items: z.array(signalCalibrationsSchema) }), path)
        const shown = items.filter((item) => signal === undefined || item.signal === signal)
        printHistory(context, shown, options, `${signal ?? name} has no calibration: raw values count.`)
        return
      }
      if (signal === undefined) throw misspelt('signal-missing', 'name the signal, such as supply.voltage')
      const body = options.undo ? { signal } : { signal, ...(await calibrationIn(options)) }
      const client = await openHub(context, options)
      const found = await client.call(signalCalibrationsSchema, options.undo ? `${path}/undo` : path, {
        method: 'POST',
        body,
      })
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      const now = lastGood(found.history)
      terminal.out(`${signal} of ${name}: ${now === undefined ? 'raw values count' : curveWords(now.curve)}`)
      if (!options.undo) terminal.err(`Take it back with: fernlab node calibrate ${name} ${signal} --undo`)
    })
}

function printHistory(
  { terminal }: Context,
  items: readonly z.infer<typeof signalCalibrationsSchema>[],
  options: HubOptions,
  empty: string,
): void {
  const rows = items.flatMap(({ signal, history }) => {
    const now = lastGood(history)
    return history.map((record) => ({ signal, record, state: stateOf(record, now) })).reverse()
  })
  if (options.json) {
    terminal.out(JSON.stringify(items, null, 2))
    return
  }
  printList(terminal, rows, {
    columns: {
      signal: (row) => row.signal,
      state: (row) => row.state,
      value: (row) => curveWords(row.record.curve),
      uncertainty: (row) => row.record.uncertainty ?? '',
      until: (row) => row.record.validUntil ?? '',
      by: (row) => row.record.by,
      at: (row) => cellTime(row.record.at),
      note: (row) => row.record.note ?? '',
    },
    empty,
  })
}

function stateOf(record: CalibrationRecord, now: CalibrationRecord | undefined): string {
  if (record.undone !== undefined) return `undone by ${record.undone.by}`
  return record === now ? 'in force' : 'earlier'
}

function curveWords(curve: Curve | null): string {
  if (curve === null) return 'raw values count'
  switch (curve.form) {
    case 'linear':
      return `${curve.gain} · raw ${curve.offset < 0 ? '-' : '+'} ${Math.abs(curve.offset)}`
    case 'polynomial':
      return `polynomial ${curve.coefficients.join(', ')}`
    case 'table':
      return `table of ${curve.points.length} points${curve.extrapolate ? ', drawn on' : ''}`
  }
}

async function calibrationIn(options: CalibrateOptions): Promise<Calibration> {
  const { validUntil, uncertainty, note } = options
  return {
    curve: options.clear ? null : await curveIn(options),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(uncertainty === undefined ? {} : { uncertainty: numbersIn(uncertainty, '--uncertainty', 1)[0] ?? 0 }),
    ...(note === undefined ? {} : { note }),
  }
}

async function curveIn({ linear, polynomial, table, extrapolate }: CalibrateOptions): Promise<Curve> {
  if (extrapolate && table === undefined) throw misspelt('calibration-unclear', '--extrapolate goes with --table')
  if (table !== undefined) {
    const curve = { form: 'table', points: await pointsIn(table), ...(extrapolate ? { extrapolate } : {}) }
    return soundCurve(curve, table)
  }
  if (polynomial !== undefined) {
    return soundCurve({ form: 'polynomial', coefficients: numbersIn(polynomial, '--polynomial') }, '--polynomial')
  }
  const [gain, offset] = numbersIn(linear ?? '', '--linear', 2)
  return soundCurve({ form: 'linear', gain, offset }, '--linear')
}

function soundCurve(curve: unknown, of: string): Curve {
  const checked = curveSchema.safeParse(curve)
  if (checked.success) return checked.data
  throw mistake('calibration-wrong', `${of}: ${checked.error.issues.map(({ message }) => message).join('; ')}`)
}

function numbersIn(text: string, option: string, count?: number): number[] {
  const numbers = text.split(',').map((word) => (word.trim() === '' ? Number.NaN : Number(word)))
  const wrong = numbers.some((each) => !Number.isFinite(each)) || (count !== undefined && numbers.length !== count)
  if (!wrong) return numbers
  const wanted = count === undefined ? 'numbers' : count === 1 ? 'a number' : `${count} numbers`
  throw misspelt('calibration-wrong', `${option} takes ${wanted}${count === 1 ? '' : ', with commas'}, not "${text}"`)
}

/** A first line that is words is a heading. */
async function pointsIn(file: string): Promise<[number, number][]> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    throw mistake('file-unreadable', `${file} can not be read: ${asLabError(thrown).message}`)
  })
  return text.split(/\r?\n/).flatMap((line, i): [number, number][] => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const words = line.split(/[,;\t]/).map((word) => word.trim())
    const [raw = Number.NaN, value = Number.NaN] = words.map((word) => (word === '' ? Number.NaN : Number(word)))
    if (words.length === 2 && Number.isFinite(raw) && Number.isFinite(value)) return [[raw, value]]
    if (i === 0 && words.every((word) => Number.isNaN(Number(word)))) return []
    throw mistake('calibration-wrong', `${file}, line ${i + 1}: must be a raw value and a value, with a comma`)
  })
}
