import { LabError } from '@fernlab/shared/primitives/lab-error'
import type * as z from 'zod'
import type { DriverContext, Instrument } from '../driver.ts'

/** A model that the driver `simulated` can make instruments of. */
export interface SimulatedModel {
  readonly name: string
  /** What it is, for who chooses one in an editor. */
  readonly title: string
  /** Without defaults, of an object. */
  readonly settingsSchema: z.ZodType<object, object>
  /** `settings` have passed the schema. */
  create(settings: unknown, context: Pick<DriverContext, 'name' | 'clock'>): Instrument
}

/** The error for a signal or action that the instrument lacks, or cannot do that with. */
export function cannot(instrument: string, what: string): LabError {
  return new LabError({
    code: 'signal-unknown',
    kind: 'caller',
    message: `${instrument} cannot ${what}`,
    details: { instrument },
  })
}
