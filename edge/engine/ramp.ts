import { convertStep, convertTrimmed } from '@fernlab/shared/primitives/units'
import type { Instruction } from '@fernlab/shared/protocol/expand'
import { type Performance, setWhenDue } from './performance.ts'

const STEP_MS = 50

/**
 * Moves a signal in a straight line in time: each value follows from the time that has passed, so a slow instrument
 * makes the steps coarser but not the ramp longer; the last value is exact.
 */
export async function ramp(
  instruction: Extract<Instruction, { op: 'ramp' }>,
  context: Performance,
  signal: AbortSignal,
): Promise<void> {
  const { part, signal: name, unit, overS, rate } = instruction
  const { lease, clock, environment } = context
  const spec = lease.signal(part, name)
  const own = (value: number) => (unit === undefined ? value : convertTrimmed(value, unit, spec.unit))
  const to = own(instruction.to)
  let from = instruction.from === undefined ? undefined : own(instruction.from)
  if (from === undefined) {
    const known = environment.reading(`${part}.${name}`)
    if (typeof known === 'number') from = known
    else if (spec.access !== 'set') {
      const readings = await lease.read([{ part, signal: name }], signal)
      const value = readings[`${part}.${name}`]?.value
      from = typeof value === 'number' ? value : to
    } else from = to
  }
  const perSecond = rate === undefined ? undefined : unit === undefined ? rate : convertStep(rate, unit, spec.unit)
  const seconds = overS ?? (perSecond === undefined || perSecond === 0 ? 0 : Math.abs(to - from) / Math.abs(perSecond))
  const stepMs = Math.max(STEP_MS, (spec.setS ?? 0) * 1500, (spec.minSetIntervalS ?? 0) * 1000)
  const beganAt = clock.monotonic()
  for (let step = 0; ; step++) {
    const elapsedS = (clock.monotonic() - beganAt) / 1000
    if (elapsedS >= seconds) break
    await setWhenDue(context, part, name, from + ((to - from) * elapsedS) / seconds, undefined, signal)
    const waitMs = Math.min((step + 1) * stepMs, seconds * 1000) - (clock.monotonic() - beganAt)
    if (waitMs > 0) await clock.sleep(waitMs, signal)
  }
  await setWhenDue(context, part, name, to, undefined, signal)
  if (spec.settlingS !== undefined) await clock.sleep(spec.settlingS * 1000, signal)
}
