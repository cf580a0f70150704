/** Calibrations: how what an instrument says of a signal becomes its value, as nodes keep them and hubs show them. */
import * as z from 'zod'

const dateSchema = z.iso.date()

/** Value from raw value, both in the signal's unit. */
export const curveSchema = z.discriminatedUnion(
  'form',
  [
    /** `gain · raw + offset`. */
    z.strictObject({
      form: z.literal('linear'),
      gain: z.number().refine((gain) => gain !== 0, 'must not be 0'),
      offset: z.number(),
    }),
    /** `c0 + c1·raw + c2·raw² …`. */
    z.strictObject({ form: z.literal('polynomial'), coefficients: z.array(z.number()).min(2).max(10) }),
    /** Pairs of raw value and value, between which lines are drawn; outside of them only when it says so. */
    z.strictObject({
      form: z.literal('table'),
      points: z
        .array(z.tuple([z.number(), z.number()]))
        .min(2)
        .max(1000)
        .refine(ascends, 'the raw values, first in each pair, must ascend'),
      extrapolate: z.boolean().exactOptional(),
    }),
  ],
  { error: 'must have a form: linear, polynomial or table' },
)
export type Curve = z.infer<typeof curveSchema>

/** What a person says of a signal. */
export const calibrationSchema = z.strictObject({
  /** None: raw values count, from then on. */
  curve: curveSchema.nullable(),
  /** Its standard uncertainty, in the signal's unit. */
  uncertainty: z.number().nonnegative().exactOptional(),
  /** The last day on which it is good, UTC. */
  validUntil: dateSchema.exactOptional(),
  note: z.string().max(500).exactOptional(),
})
export type Calibration = z.infer<typeof calibrationSchema>

/** A calibration with who said so, and when. */
export const calibrationRecordSchema = calibrationSchema.extend({
  by: z.string().max(200),
  at: z.iso.datetime({ offset: true }),
  /** It does not count any more, and the one before it does. */
  undone: z.strictObject({ by: z.string().max(200), at: z.iso.datetime({ offset: true }) }).exactOptional(),
})
export type CalibrationRecord = z.infer<typeof calibrationRecordSchema>

/** By `instrument.signal`, oldest first. */
export const calibrationHistoriesSchema = z.record(
  z.string().regex(/^[^.]+\.[^.]+$/, 'must be instrument.signal'),
  z.array(calibrationRecordSchema).max(1000),
)
export type CalibrationHistories = z.infer<typeof calibrationHistoriesSchema>

const signalSchema = z
  .string()
  .max(200)
  .regex(/^[^.]+\.[^.]+$/, 'must be instrument.signal')

/** The calibrations of one signal of a node, oldest first. */
export const signalCalibrationsSchema = z.object({
  /** `instrument.signal`. */
  signal: z.string(),
  history: z.array(calibrationRecordSchema),
})
export type SignalCalibrations = z.infer<typeof signalCalibrationsSchema>

export const calibrateSchema = calibrationSchema.extend({ signal: signalSchema })
export const undoCalibrationSchema = z.strictObject({ signal: signalSchema })

function ascends(points: readonly (readonly [number, number])[]): boolean {
  return points.every(([raw], i) => i === 0 || raw > (points[i - 1]?.[0] ?? Number.NaN))
}
