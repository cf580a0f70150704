/** The panel of a lab: what a person sees and moves in a live session. Data in lab.yaml, drawn by the page. */
import * as z from 'zod'
import {
  identifierSchema,
  type Limits,
  limitsSchema,
  type PartRequirement,
  type SignalRequirement,
  signalKeySchema,
  textSchema,
} from '../capabilities/signals.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { shownBy } from './panel-signals.ts'
import type { Finding, Path } from './yaml-file.ts'

const place = z
  .strictObject({
    column: z.int().min(1).max(12).describe('The first of the 12 columns that it takes.').exactOptional(),
    row: z.int().min(1).max(100).describe('The row that it begins in.').exactOptional(),
    width: z.int().min(1).max(12).describe('How many columns it takes.').exactOptional(),
    height: z.int().min(1).max(12).describe('How many rows it takes.').exactOptional(),
  })
  .describe(
    'Where it stands, on a grid of 12 columns; without, where there is room. On a phone all stand one below the other, in the order of the list.',
  )

const common = {
  title: textSchema.describe('What stands above it. Default: what the signal is called.').exactOptional(),
  place: place.exactOptional(),
}
const signal = signalKeySchema.describe('The signal, as part.signal.')
const limits = limitsSchema.describe("The ends of its scale, in the signal's unit; the lab's limits hold besides.")
const step = z.number().positive().describe("The smallest move, in the signal's unit.").exactOptional()
const scalar = z.union([z.number(), z.boolean(), z.string().max(1000)])
const signals = z.array(signalKeySchema).min(1).max(8).describe('The signals that are drawn, each as part.signal.')

const widgetSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('switch').describe('A switch: on or off.'),
    ...common,
    signal: signal.describe('A signal that is true or false.'),
  }),
  z.strictObject({
    kind: z.literal('button').describe('A button: an action, or signals that are set together.'),
    ...common,
    action: signalKeySchema.describe('The action that it calls, as part.action; this or set.').exactOptional(),
    arguments: z.record(z.string(), scalar).describe("The action's arguments, by name.").exactOptional(),
    set: z
      .record(signalKeySchema, scalar)
      .describe("Signals that it sets, part.signal and the value in the signal's unit; this or action.")
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('slider').describe('A slider: a value between two ends.'),
    ...common,
    signal,
    limits,
    step,
  }),
  z.strictObject({
    kind: z.literal('knob').describe('A knob: a value between two ends, turned.'),
    ...common,
    signal,
    limits,
    step,
  }),
  z.strictObject({
    kind: z.literal('number').describe('A number to type, or to read.'),
    ...common,
    signal: signal.describe('A field where the signal can be set, what it reads where it can not.'),
    limits: limits.exactOptional(),
    step,
  }),
  z.strictObject({
    kind: z.literal('gauge').describe('A dial that shows a value between two ends.'),
    ...common,
    signal,
    limits,
  }),
  z.strictObject({
    kind: z.literal('led').describe('A lamp: lit or not.'),
    ...common,
    signal,
    above: z.number().describe("For a number: lit above this, in the signal's unit.").exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('chart').describe('A chart of the last minute, or longer.'),
    ...common,
    signals,
    seconds: z.number().min(1).max(3600).describe('How much of the past it shows. Default: 60.').exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('waveform').describe('A screen as of an oscilloscope: sweeps with a trigger.'),
    ...common,
    signals,
    seconds: z.number().min(0.001).max(60).describe('How long one sweep of the screen takes.'),
    trigger: z
      .strictObject({ signal, level: z.number().describe("In the signal's unit; a sweep begins where it is passed.") })
      .describe('Where a sweep begins: where this signal rises through the level. Default: when the last has ended.')
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('camera').describe('What a camera of the bench sees.'),
    ...common,
    part: identifierSchema.describe("The part that is a camera: one with camera: true in lab.yaml's parts."),
  }),
  z.strictObject({ kind: z.literal('log').describe('What was done, by whom and when.'), ...common }),
])
export type PanelWidget = z.infer<typeof widgetSchema>

/** The schema of `panel` in lab.yaml. */
export const panelSchema = z
  .strictObject({
    widgets: z
      .array(widgetSchema)
      .min(1)
      .max(64)
      .describe(
        'What stands on the panel: switch, button, slider, knob, number, gauge, led, chart, waveform, camera or log.',
      ),
  })
  .describe('What people see and move in a live session of this lab.')
export type Panel = z.infer<typeof panelSchema>

/** Every signal that the panel shows and that can be read, in the order of the widgets. */
export function shownSignals(panel: Panel, parts: Readonly<Record<string, PartRequirement>>): string[] {
  const keys = new Set(panel.widgets.flatMap(shownBy))
  return [...keys].filter((key) => {
    const found = signalOf(key, parts)
    return found !== undefined && found.access !== 'set'
  })
}

interface PanelContext {
  readonly parts: Readonly<Record<string, PartRequirement>>
  readonly limits?: Readonly<Record<string, Limits>> | undefined
}

/** What keeps the panel from working on a bench that has the lab's parts; paths begin with `panel`. */
export function panelFindings(panel: Panel, context: PanelContext): Finding[] {
  return panel.widgets.flatMap((widget, i) => widgetFindings(widget, ['panel', 'widgets', i], context))
}

type Dtype = NonNullable<SignalRequirement['dtype']>
const numbers: readonly Dtype[] = ['number', 'integer']

function widgetFindings(widget: PanelWidget, path: Path, context: PanelContext): Finding[] {
  const findings: Finding[] = []
  const fail = (message: string, ...more: (string | number)[]) => findings.push({ path: [...path, ...more], message })
  const use = (
    key: string,
    verb: 'read' | 'set',
    dtypes: readonly Dtype[] | undefined,
    ...at: (string | number)[]
  ): SignalRequirement | undefined => {
    const found = signalOf(key, context.parts)
    if (found === undefined) {
      fail(whatIsMissing(key, context.parts), ...at)
      return undefined
    }
    const dtype = found.dtype ?? 'number'
    if (found.access !== verb && found.access !== 'read-set') fail(`${key} can not be ${verb}`, ...at)
    else if (dtypes !== undefined && !dtypes.includes(dtype)) {
      fail(`${key} is of type ${dtype}, and a ${widget.kind} is for ${dtypes.join(' or ')}`, ...at)
    } else return found
    return undefined
  }
  const scale = (key: string, own: Limits, needed: boolean) => {
    if (needed && (own.low === undefined || own.high === undefined)) fail('needs low and high', 'limits')
    const { low = -Infinity, high = Infinity } = context.limits?.[key] ?? {}
    if ((own.low ?? low) < low) fail(`low is below the lab's limit of ${low} for ${key}`, 'limits', 'low')
    if ((own.high ?? high) > high) fail(`high is above the lab's limit of ${high} for ${key}`, 'limits', 'high')
  }
  switch (widget.kind) {
    case 'switch':
      use(widget.signal, 'set', ['boolean'], 'signal')
      break
    case 'button':
      checkButton(widget, fail, context, (key) => use(key, 'set', undefined, 'set', key))
      break
    case 'slider':
    case 'knob':
      if (use(widget.signal, 'set', numbers, 'signal') !== undefined) scale(widget.signal, widget.limits, true)
      break
    case 'number': {
      const verb = signalOf(widget.signal, context.parts)?.access === 'read' ? 'read' : 'set'
      if (use(widget.signal, verb, numbers, 'signal') !== undefined && widget.limits !== undefined) {
        scale(widget.signal, widget.limits, false)
      }
      break
    }
    case 'gauge':
      use(widget.signal, 'read', numbers, 'signal')
      if (widget.limits.low === undefined || widget.limits.high === undefined) fail('needs low and high', 'limits')
      break
    case 'led': {
      const found = use(widget.signal, 'read', ['boolean', ...numbers], 'signal')
      const numeric = found !== undefined && found.dtype !== 'boolean'
      if (numeric && widget.above === undefined) fail(`${widget.signal} is a number: say above`, 'signal')
      if (found !== undefined && !numeric && widget.above !== undefined) fail('is for numbers', 'above')
      break
    }
    case 'waveform':
    case 'chart':
      for (const [i, key] of widget.signals.entries()) use(key, 'read', ['boolean', ...numbers], 'signals', i)
      if (widget.kind === 'waveform' && widget.trigger !== undefined) {
        use(widget.trigger.signal, 'read', numbers, 'trigger', 'signal')
      }
      break
    case 'camera':
      if (!Object.hasOwn(context.parts, widget.part)) fail(noPart(widget.part, context.parts), 'part')
      else if (context.parts[widget.part]?.camera !== true) {
        fail(`part ${widget.part} is not a camera: say camera: true under parts`, 'part')
      }
      break
    case 'log':
      break
  }
  const { column = 1, width = 1 } = widget.place ?? {}
  if (column + width > 13) fail(`reaches beyond the last of 12 columns`, 'place')
  return findings
}

function checkButton(
  widget: Extract<PanelWidget, { kind: 'button' }>,
  fail: (message: string, ...more: string[]) => unknown,
  { parts, limits }: PanelContext,
  use: (key: string) => SignalRequirement | undefined,
): void {
  if ((widget.action === undefined) === (widget.set === undefined)) fail('needs one of action and set')
  if (widget.arguments !== undefined && widget.action === undefined) fail('are of an action', 'arguments')
  if (widget.action !== undefined && !hasAction(widget.action, parts)) {
    fail(whatIsMissing(widget.action, parts, 'action'), 'action')
  }
  for (const [key, value] of Object.entries(widget.set ?? {})) {
    const found = use(key)
    if (found === undefined) continue
    const wanted = { number: 'number', integer: 'number', boolean: 'boolean', string: 'string', array: '' }[
      found.dtype ?? 'number'
    ]
    const { low = -Infinity, high = Infinity } = limits?.[key] ?? {}
    if (typeof value !== wanted) fail(`must be ${wanted === 'boolean' ? 'true or false' : `a ${wanted}`}`, 'set', key)
    else if (typeof value === 'number' && (value < low || value > high)) {
      fail(`${value} is beyond the lab's limits for ${key}`, 'set', key)
    }
  }
}

type Parts = Readonly<Record<string, PartRequirement>>

function partOf(key: string, parts: Parts): { part: PartRequirement | undefined; name: string } {
  const [part = '', name = ''] = key.split('.')
  return { part: Object.hasOwn(parts, part) ? parts[part] : undefined, name }
}

function signalOf(key: string, parts: Parts): SignalRequirement | undefined {
  const { part, name } = partOf(key, parts)
  return part !== undefined && Object.hasOwn(part.signals, name) ? part.signals[name] : undefined
}

function hasAction(key: string, parts: Parts): boolean {
  const { part, name } = partOf(key, parts)
  return part?.actions?.includes(name) === true
}

const noPart = (part: string, parts: Parts): string => `there is no part ${part}${didYouMean(part, Object.keys(parts))}`

function whatIsMissing(key: string, parts: Parts, kind: 'signal' | 'action' = 'signal'): string {
  const [part = '', name = ''] = key.split('.')
  const found = Object.hasOwn(parts, part) ? parts[part] : undefined
  if (found === undefined) return noPart(part, parts)
  const names = kind === 'action' ? (found.actions ?? []) : Object.keys(found.signals)
  return `part ${part} has no ${kind} ${name}${didYouMean(name, names)}`
}
