/** What the driver asks of a file in `chips/`: one chip, as its datasheet has it. */
import type { I2cWire } from '@fernlab/firmware-bridge/i2c/adapter'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type * as z from 'zod'
import type { Hardware } from '../kept-instrument.ts'

/** The way to one chip on its bus. */
export interface ChipPort {
  /** Runs `work` while nobody else is on the bus. */
  use<T>(work: (wire: I2cWire) => Promise<T>): Promise<T>
  /** Lets others on the bus for so long. */
  wait(ms: number): Promise<void>
}

/** A chip with its settings. */
export type Chip = Hardware<ChipPort>

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
