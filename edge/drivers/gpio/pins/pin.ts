import type { Clock } from '@fernlab/shared/primitives/clock'
import type { SignalValue } from '../../driver.ts'
import type { Chip } from '../backends/backend.ts'

/** One signal of an open pin. */
export interface PinSignal {
  read(): Promise<SignalValue>
  set?(value: SignalValue): Promise<void>
}

/** A pin that is taken. */
export interface OpenPin {
  readonly signals: Readonly<Record<string, PinSignal>>
  readonly actions?: Readonly<Record<string, () => void>>
  /** What is worth saying of how it works, as `fan: software PWM`. */
  readonly remark?: string
  /** From safe to what node.yaml says that it begins with; once all pins are taken. */
  begin?(): Promise<void>
  /** Puts an output to its safe level, and lets go; idempotent. */
  close(): Promise<void>
}

/** What a pin is opened with. */
export interface PinParts<T> {
  readonly name: string
  readonly config: T
  readonly chip: Chip
  readonly clock: Clock
}
