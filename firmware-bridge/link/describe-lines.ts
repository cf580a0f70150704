/** A description as the lines in which a firmware says it: what `readDescription` reads, written. */
import { type BoardDescription, type BoardQuantity, type BoardSignal, ENTRY, ROLE, wireTypes } from './description.ts'
import { viewOf } from './messages.ts'

const ACCESS = { read: 1, set: 2, 'read-set': 3 } as const

/** By line; an argument of an action has the lines after its own. */
export function descriptionLines({ signals, actions }: BoardDescription): ReadonlyMap<number, Uint8Array> {
  const lines = new Map<number, Uint8Array>()
  for (const signal of signals) lines.set(signal.index, entry(ROLE.signal, signal))
  for (const action of actions) {
    lines.set(action.index, entry(ROLE.action, { ...NOTHING, name: action.name }))
    for (const [i, argument] of action.arguments.entries())
      lines.set(action.index + 1 + i, entry(ROLE.argument, argument))
  }
  return lines
}

const NOTHING: BoardQuantity = { name: '', unit: '1', type: 'i32', step: 1, low: 0, high: 0 }

function entry(role: number, quantity: BoardQuantity & Partial<BoardSignal>): Uint8Array {
  const { name, unit, type, step, low, high, access, digits = 0, shortestUs = 0 } = quantity
  const line = new Uint8Array(ENTRY)
  const view = viewOf(line)
  view.setFloat32(0, step, true)
  view.setFloat32(4, low / step, true)
  view.setFloat32(8, high / step, true)
  view.setUint32(12, shortestUs, true)
  line.set([role, wireTypes[type], access === undefined ? 0 : ACCESS[access], digits], 16)
  line.set(new TextEncoder().encode(name), 20)
  line.set(new TextEncoder().encode(unit), 44)
  return line
}
