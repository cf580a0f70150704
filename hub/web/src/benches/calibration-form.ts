/** What a person says in the dialog that calibrates, and what comes of it. */
import { type CurveKind, type FittedCurve, fitCurve, type Unfittable } from '@fernlab/shared/calibration/curve-fit'
import type { Calibration } from '@fernlab/shared/contracts/calibrations'
import type { TFunction } from 'i18next'
import { checkInput } from '../lab/parameters.ts'
import { readPoints, type TypedPoints } from './calibration-points.ts'

export interface Values {
  readonly text: string
  readonly form: CurveKind['form']
  readonly degree: string
  readonly extrapolate: boolean
  readonly validUntil: string
  readonly uncertainty: string
  readonly note: string
}

export const blank: Values = {
  text: '',
  form: 'linear',
  degree: '2',
  extrapolate: false,
  validUntil: '',
  uncertainty: '',
  note: '',
}

/** The greatest that a calibration takes. */
export const DEGREES = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] as const

export interface Understood {
  readonly typed: TypedPoints
  /** None without points. */
  readonly fit: FittedCurve | Unfittable | undefined
}

/** The points and the curve through them. */
export function understood({ text, form, degree, extrapolate }: Values): Understood {
  const typed = readPoints(text)
  const kind: CurveKind =
    form === 'polynomial'
      ? { form, degree: Number(degree) }
      : form === 'table'
        ? { form, extrapolate }
        : { form: 'linear' }
  return { typed, fit: typed.points.length === 0 ? undefined : fitCurve(typed.points, kind) }
}

export type Bad = Readonly<Partial<Record<'points' | 'form' | 'validUntil' | 'uncertainty', string>>>

/** What is wrong, by field, in words; `unit` is the signal's. */
export function badFields(values: Values, { typed, fit }: Understood, unit: string, nowMs: number, t: TFunction): Bad {
  const over = values.validUntil !== '' && values.validUntil < new Date(nowMs).toISOString().slice(0, 10)
  const uncertainty = uncertaintyIn(values, unit, t)
  const points =
    typed.bad !== undefined
      ? t(typed.bad.why === 'half' ? 'calibrate.pointHalf' : 'calibrate.pointWrong', { line: typed.bad.line })
      : typed.points.length === 0
        ? t('calibrate.pointsNone')
        : undefined
  return {
    ...(points === undefined ? {} : { points }),
    ...(fit !== undefined && 'refused' in fit ? { form: unfittable(fit, t) } : {}),
    ...(over ? { validUntil: t('calibrate.validUntilBad') } : {}),
    ...(uncertainty !== undefined && 'error' in uncertainty ? { uncertainty: uncertainty.error } : {}),
  }
}

/** What the hub is told; the fields have nothing wrong. */
export function bodyOf(values: Values, { curve }: FittedCurve, unit: string, t: TFunction): Calibration {
  const uncertainty = uncertaintyIn(values, unit, t)
  const note = values.note.trim()
  return {
    curve,
    ...(values.validUntil === '' ? {} : { validUntil: values.validUntil }),
    ...(uncertainty === undefined || 'error' in uncertainty ? {} : { uncertainty: Number(uncertainty.value) }),
    ...(note === '' ? {} : { note }),
  }
}

function uncertaintyIn({ uncertainty }: Values, unit: string, t: TFunction) {
  if (uncertainty.trim() === '') return undefined
  return checkInput({ name: 'uncertainty', type: 'number', unit, minimum: 0 }, uncertainty, t)
}

function unfittable(fit: Unfittable, t: TFunction): string {
  return fit.refused === 'few' ? t('calibrate.few', { count: fit.needed }) : t(`calibrate.${fit.refused}`)
}
