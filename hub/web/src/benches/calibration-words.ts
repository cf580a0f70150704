import type { Curve } from '@fernlab/shared/contracts/calibrations'
import { reasonsAmong } from '@fernlab/shared/contracts/reasons'
import type { TFunction } from 'i18next'
import { enStaff } from '../language/en-staff.ts'
import { marked } from '../words/quantity.ts'

const find = reasonsAmong(enStaff.calibrationReason)

/** What node or hub say against a calibration, in the language of the page; what is not known stays as it is. */
export function calibrationReasonIn(sentence: string, t: TFunction): string {
  const found = find(sentence)
  if (found === undefined) return sentence
  const { form, ...values } = found.values
  const words = form === 'table' || form === 'polynomial' ? { form: t(`benches.calibrationForm.${form}`) } : {}
  return t(`calibrationReason.${found.name}`, { ...values, ...words })
}

/** A curve in a few words: the formula of a line, what others are. */
export function curveWords(curve: Curve, t: TFunction): string {
  const say = (value: number) => marked(String(Number(value.toPrecision(6))).replace('-', '−'), t)
  switch (curve.form) {
    case 'linear':
      return t('calibrate.curveLinear', {
        gain: say(curve.gain),
        sign: curve.offset < 0 ? '−' : '+',
        offset: say(Math.abs(curve.offset)),
      })
    case 'polynomial':
      return t('calibrate.curvePolynomial', { degree: curve.coefficients.length - 1 })
    case 'table':
      return t('calibrate.curveTable', { count: curve.points.length })
  }
}
