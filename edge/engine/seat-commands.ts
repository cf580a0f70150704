/** What a command of a live session does to the bench, and the rows that it leaves. */
import type { CommandRow } from '@fernlab/shared/contracts/session-columns'
import type { SessionCommand } from '@fernlab/shared/contracts/sync'
import { splitKey } from '@fernlab/shared/protocol/quantities'
import type { Reading } from '../drivers/driver.ts'
import { callOne, observe, type Performance, setOne } from './performance.ts'

export type SeatReadings = Readonly<Record<string, Reading & { readonly unit: string }>>

const CALL_MS = 5000

/** Does what the person asks, on the run's own lease; resolves with what was read. */
export async function doCommand(
  context: Performance,
  command: SessionCommand,
  abort: AbortSignal,
): Promise<SeatReadings> {
  const { lease } = context
  switch (command.what) {
    case 'set':
      for (const [key, value] of Object.entries(command.values)) {
        const { part, signal } = splitKey(key)
        await setOne(context, part, signal, value, undefined, abort)
      }
      return {}
    case 'call': {
      const { part, signal: action } = splitKey(command.action)
      const spec = lease.instrument(part).spec.actions.find(({ name }) => name === action)
      const timeoutMs = CALL_MS + 3000 * (spec?.typicalS ?? 0)
      await callOne(context, { part, action, args: command.arguments ?? {}, timeoutMs }, abort)
      return {}
    }
    case 'read':
      return await readings(context, command.signals.map(splitKey), abort)
  }
}

/** Reads by the run's own lease, for all who follow the run too. */
export async function readings(
  context: Performance,
  keys: readonly { readonly part: string; readonly signal: string }[],
  abort: AbortSignal,
): Promise<SeatReadings> {
  const { lease } = context
  const found = await lease.read(keys, abort)
  observe(context, found)
  const unitOf = (key: string) => {
    const { part, signal } = splitKey(key)
    return lease.signal(part, signal).unit
  }
  return Object.fromEntries(
    Object.entries(found).map(([key, { value, time }]) => [key, { value, time, unit: unitOf(key) }]),
  )
}

/** One row for each signal or action that a command is about. */
export function rowsOf(command: SessionCommand, readings: SeatReadings): Partial<CommandRow>[] {
  const { what } = command
  switch (what) {
    case 'set':
      return Object.entries(command.values).map(([target, value]) => ({ what, target, value: JSON.stringify(value) }))
    case 'call':
      return [{ what, target: command.action, value: JSON.stringify(command.arguments ?? {}) }]
    case 'read':
      return command.signals.map((target) => ({
        what,
        target,
        value: JSON.stringify(readings[target]?.value ?? null),
      }))
  }
}
