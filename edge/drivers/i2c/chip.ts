/** What the driver asks of a file in `chips/`: one chip, as its datasheet has it. */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import type { ActionSpec, SignalSpec, Uncertainty } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type * as z from 'zod'
import type { SignalValue } from '../driver.ts'

/** The way to one chip on its bus. */
export interface ChipPort {
  /** Runs `work` while nobody else is on the bus. */
  use<T>(work: (wire: I2cWire) => Promise<T>): Promise<T>
  /** Lets others on the bus for so long. */
  wait(ms: number): Promise<void>
}

/** A chip with its settings; called by one at a time, so its exchanges need not mind each other. */
export interface Chip {
  readonly signals: readonly SignalSpec[]
  readonly actions?: readonly ActionSpec[]
  /** Checks that it is this chip, as far as it can say, writes its settings and waits for its first values. */
  initialise(port: ChipPort): Promise<void>
  /** Rejects when it is not as `initialise` left it, as after a loss of power; disturbs nothing. */
  verify(port: ChipPort): Promise<void>
  /** Its name and what of its registers says who it is. */
  identify(port: ChipPort): Promise<string>
  /** The values of these signals, each of which is one of `signals`. */
  read(names: readonly string[], port: ChipPort): Promise<Record<string, SignalValue>>
  /** Sets a signal of `signals` that can be; the value is of its type and within its limits. */
  set?(name: string, value: SignalValue, port: ChipPort): Promise<void>
  call?(action: string, port: ChipPort): Promise<void>
}

/** A kind of chip. */
export interface ChipModel<S = unknown> {
  /** As in node.yaml. */
  readonly name: string
  readonly title: string
  /** All that its pins can make its address. */
  readonly addresses: readonly number[]
  readonly settingsSchema: z.ZodType<S>
  create(settings: S): Chip
}

/** A model whose settings are no longer told apart by their type; they come from its own schema. */
export function chipModel<S>(model: ChipModel<S>): ChipModel {
  return { ...model, create: (settings) => model.create(settings as S) }
}

/** A numeric reading. */
export function reading(name: string, unit: string, rest: Partial<SignalSpec> = {}): SignalSpec {
  return { name, unit, dtype: 'number', shape: [], kind: 'reading', access: 'read', ...rest }
}

/**
 * The standard uncertainty of a value whose error a datasheet bounds by ±`bound` and that comes in steps of `step`: both
 * as rectangular distributions (JCGM 100:2008, 4.3.7 and F.2.2.1).
 */
export function boundedBy(bound: number, step: number): Uncertainty {
  return { absolute: Math.sqrt(bound ** 2 / 3 + step ** 2 / 12) }
}

/** Whole numbers from `first` to `last`. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** Two's complement of so many bits. */
export const signed = (word: number, bits: number): number => (word >= 2 ** (bits - 1) ? word - 2 ** bits : word)

/** It answers, but not as this chip would. */
export function wrongChip(what: string): LabError {
  return new LabError({
    code: 'i2c-wrong-chip',
    kind: 'link',
    retry: 'later',
    message: `${what}: check chip and address in node.yaml`,
    studentMessage: 'This bench is wired to another part than expected. The staff has been told.',
  })
}

/** It is no longer as it was configured. */
export function chipReset(what: string): LabError {
  return new LabError({
    code: 'i2c-chip-reset',
    kind: 'link',
    retry: 'now',
    message: `${what}: the chip has lost its settings, as after a loss of power, and is being configured again`,
  })
}
