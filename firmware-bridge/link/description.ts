/** What a board says that it can do, line by line, and how its values are written on the wire. */
import { IDENTIFIER_PATTERN, unitSchema } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { viewOf } from './messages.ts'

export const wireTypes = { bool: 0x01, u8: 0x11, u16: 0x12, i16: 0x22, i32: 0x24, f32: 0x44 } as const
export type WireType = keyof typeof wireTypes

const name = z.string().regex(IDENTIFIER_PATTERN, 'must be letters, digits and _, beginning with a letter').max(23)
const quantity = {
  name,
  unit: unitSchema,
  type: z.enum(['bool', 'u8', 'u16', 'i16', 'i32', 'f32']),
  /** A value is this many times what is on the wire. */
  step: z.number().refine((step) => step !== 0, 'must not be 0'),
  low: z.number(),
  high: z.number(),
}

const signalSchema = z.strictObject({
  /** Its line in the description. */
  index: z.int().min(0).max(254),
  ...quantity,
  access: z.enum(['read', 'set', 'read-set']),
  digits: z.int().min(0).max(15),
  /** The shortest period of a stream in µs; 0 where there is no bound. */
  shortestUs: z.int().min(0),
})

/** What a board can do, as it says itself; also the form of the file in which a node keeps it. */
export const boardDescriptionSchema = z.strictObject({
  fernlabLink: z.literal(1),
  firmware: z.strictObject({ name: z.string().min(1).max(40), version: z.string().max(40), hash: z.string() }),
  streamSignals: z.int().min(1).max(64),
  signals: z.array(signalSchema),
  actions: z.array(
    z.strictObject({ index: z.int().min(0).max(254), name, arguments: z.array(z.strictObject(quantity)) }),
  ),
})
export type BoardDescription = z.infer<typeof boardDescriptionSchema>
export type BoardSignal = BoardDescription['signals'][number]
export type BoardAction = BoardDescription['actions'][number]
export type BoardQuantity = BoardAction['arguments'][number]

export const ENTRY = 56
export const ROLE = { signal: 1, action: 2, argument: 3 } as const
const accesses = ['', 'read', 'set', 'read-set'] as const
const ascii = new TextDecoder('latin1')

/** The description in its lines; throws `board-description-wrong`, which names the line and what is wrong with it. */
export function readDescription(
  board: string,
  { firmware, streamSignals }: Pick<BoardDescription, 'firmware' | 'streamSignals'>,
  lines: readonly Uint8Array[],
): BoardDescription {
  const said: { signals: unknown[]; actions: { arguments: unknown[] }[] } = { signals: [], actions: [] }
  for (const [index, line] of lines.entries()) {
    const { role, ...entry } = readEntry(board, index, line)
    const { digits, shortestUs, access, ...own } = entry
    if (role === ROLE.signal) said.signals.push({ index, ...entry })
    else if (role === ROLE.action)
      said.actions.push({ index, name: own.name, arguments: [] } as { arguments: unknown[] })
    else if (role === ROLE.argument && said.actions.length > 0) said.actions.at(-1)?.arguments.push(own)
    else throw wrong(board, `line ${index} is neither a signal nor an action nor an argument of one`)
  }
  const { data, error } = boardDescriptionSchema.safeParse({ fernlabLink: 1, firmware, streamSignals, ...said })
  if (data === undefined) {
    const [issue] = error.issues
    throw wrong(board, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const names = [...data.signals, ...data.actions].map((each) => each.name)
  const twice = names.find((each, at) => names.indexOf(each) !== at)
  if (twice !== undefined) throw wrong(board, `${twice} is there twice`)
  return data
}

function readEntry(board: string, index: number, line: Uint8Array) {
  if (line.length !== ENTRY) throw wrong(board, `line ${index} has ${line.length} bytes, not ${ENTRY}`)
  const view = viewOf(line)
  const step = short(view.getFloat32(0, true))
  const typeCode = view.getUint8(17)
  return {
    role: view.getUint8(16),
    name: textIn(line, 20, 24),
    unit: textIn(line, 44, 12) || '1',
    type: Object.entries(wireTypes).find(([, code]) => code === typeCode)?.[0],
    step,
    low: limit(view.getFloat32(4, true), step),
    high: limit(view.getFloat32(8, true), step),
    access: accesses[view.getUint8(18)],
    digits: view.getUint8(19),
    shortestUs: view.getUint32(12, true),
  }
}

/** What was meant by a number that has gone through four bytes: 0.01 for 0.009999999776482582. */
function short(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const meant = Number(value.toPrecision(digits))
    if (Math.fround(meant) === value) return meant
  }
  return Number(value.toPrecision(9))
}

/** In units, without what a product of two doubles adds at its end. */
const limit = (steps: number, step: number): number => Number(inUnits(short(steps), step).toPrecision(12))

function textIn(line: Uint8Array, at: number, size: number): string {
  const field = line.subarray(at, at + size)
  const end = field.indexOf(0)
  return ascii.decode(end < 0 ? field : field.subarray(0, end))
}

/** Bytes of a sample of the type. */
export const sizeOf = (type: WireType): number => wireTypes[type] & 7

/** The value as four bytes hold it. */
export function encodeValue({ type, step }: Pick<BoardQuantity, 'type' | 'step'>, value: number | boolean): Uint8Array {
  const out = new Uint8Array(4)
  const steps = Number(value) / step
  if (type === 'f32') viewOf(out).setFloat32(0, steps, true)
  else viewOf(out).setInt32(0, Math.round(steps), true)
  return out
}

/** The value at a place, in as many bytes as its type has, or in four (`wide`). */
export function decodeValue(
  { type, step }: Pick<BoardQuantity, 'type' | 'step'>,
  view: DataView,
  at: number,
  wide: boolean,
): number {
  if (type === 'f32') return inUnits(view.getFloat32(at, true), step)
  if (wide) return inUnits(view.getInt32(at, true), step)
  switch (type) {
    case 'bool':
    case 'u8':
      return inUnits(view.getUint8(at), step)
    case 'u16':
      return inUnits(view.getUint16(at, true), step)
    case 'i16':
      return inUnits(view.getInt16(at, true), step)
    case 'i32':
      return inUnits(view.getInt32(at, true), step)
  }
}

/** Exact where the step is a whole part of one: 25.43 for 2543 steps of 0.01, not 25.430000000000003. */
function inUnits(steps: number, step: number): number {
  const parts = Math.round(1 / step)
  return parts !== 0 && Math.abs(step * parts - 1) < 1e-12 ? steps / parts : steps * step
}

function wrong(board: string, what: string): LabError {
  return new LabError({
    code: 'board-description-wrong',
    kind: 'instrument',
    message: `${board} describes itself wrongly: ${what}; its firmware is to be corrected`,
  })
}
