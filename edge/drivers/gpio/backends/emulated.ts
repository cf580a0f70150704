/** Pins of an emulated header: see firmware-bridge/emulated/gpio-header.ts. */
import type { GpioHeader } from '@fernlab/firmware-bridge/emulated/gpio-header'
import { lineHeld, lineMissing } from '../gpio-errors.ts'
import type { Backend, Chip, Edge, Pull } from './backend.ts'

/** As many lines as the header of a Pi has. */
const LINES = 28
/** As on the header of a Pi. */
const PWM_LINES: readonly number[] = [12, 13, 18, 19]

export interface EmulatedBackendOptions {
  readonly header: GpioHeader
  /** Lines that are taken; of all instruments on the header. */
  readonly taken: Set<number>
  readonly chip: string
}

export function emulatedBackend({ header, taken, chip }: EmulatedBackendOptions): Backend {
  const take = (line: number) => {
    if (line >= LINES) throw lineMissing(line, chip, LINES)
    if (taken.has(line)) throw lineHeld(line, chip, 'another instrument')
    taken.add(line)
  }
  /** Lets go of the line, once, after `last`. */
  const letGo = (line: number) => {
    let held = true
    return async (last: () => void) => {
      if (held) last()
      if (held) taken.delete(line)
      held = false
    }
  }
  const watch = (line: number, pull: Pull | undefined, onEdge: (edge: Edge) => void) => {
    take(line)
    header.release(line)
    if (pull !== undefined) header.pull(line, pull)
    const unwatch = header.watch(line, onEdge)
    const close = letGo(line)
    return () => close(unwatch)
  }
  const open: Chip = {
    about: `${chip} (${LINES} lines), emulated`,
    softwarePwmHz: 100,
    output: async (line, level) => {
      take(line)
      header.drive(line, level)
      const close = letGo(line)
      return {
        write: async (to) => header.drive(line, to),
        read: async () => header.level(line),
        close: (to) => close(() => header.drive(line, to)),
      }
    },
    input: async (line, { pull, onEdge }) => {
      const close = watch(line, pull, onEdge)
      return { read: async () => header.level(line), close }
    },
    edges: async (line, { pull, edges, onEdge }) => {
      const close = watch(line, pull, (edge) => {
        if (edges === 'both' || (edges === 'rising') === edge.level) onEdge(edge)
      })
      return { close }
    },
    pwm: async (line, { frequencyHz, duty }) => {
      if (!PWM_LINES.includes(line)) return undefined
      take(line)
      header.drivePwm(line, frequencyHz, duty)
      const close = letGo(line)
      return {
        how: `hardware PWM at ${frequencyHz} Hz, emulated`,
        write: async (to) => header.drivePwm(line, frequencyHz, to),
        close: (to) => close(() => header.drivePwm(line, frequencyHz, to)),
      }
    },
  }
  return { open: async () => open }
}
