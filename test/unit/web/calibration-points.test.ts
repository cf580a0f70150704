import { fit } from '@fernlab/edge/calibration/fit'
import { curveAt } from '@fernlab/shared/calibration/curve'
import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Curve } from '@fernlab/shared/contracts/calibrations'
import { reasonsAmong } from '@fernlab/shared/contracts/reasons'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rawOfReading, readPoints, withRaw } from '../../../hub/web/src/benches/calibration-points.ts'
import { enStaff } from '../../../hub/web/src/language/en-staff.ts'
import { suite } from '../../support/suite.ts'

const test = suite('points of a calibration as they are typed')

test('a table is read as spreadsheets and people write it', () => {
  const points = [{ raw: 1.5, value: -2.25 }]
  for (const line of [
    '1.5 -2.25',
    '1.5, -2.25',
    '1.5,-2.25',
    '1,5;-2,25',
    '1,5\t−2,25',
    ' 1,5   -2,25 ',
    '15e-1 -.225E1',
  ])
    assert.equal(readPoints(line), { points }, line)
  assert.equal(readPoints('raw, true\r\n# room 12\r\n\r\n1.5 -2.25\r\n'), { points })
  assert.equal(readPoints(''), { points: [] })
})

test('the first line that is no point is named, and the others are read', () => {
  const points = [{ raw: 1, value: 2 }]
  assert.equal(readPoints('1 2\n3\n4 x'), { points, bad: { line: 2, why: 'half' } })
  assert.equal(readPoints('1 2\n3 4 5'), { points, bad: { line: 2, why: 'wrong' } })
  assert.equal(readPoints('1,2\nraw,value'), { points, bad: { line: 2, why: 'wrong' } })
  for (const line of ['x 2', '1.5.2 3', '1 Infinity', '1,234.5;2', '1 1e999', '0x10 3'])
    assert.equal(readPoints(line), { points: [], bad: { line: 1, why: 'wrong' } }, line)
})

test('a raw value begins a line of its own', () => {
  assert.is(withRaw('', 0.1 + 0.2), '0.3 ')
  assert.is(withRaw('1 2', 3), '1 2\n3 ')
  assert.is(withRaw('1 2\n', 3), '1 2\n3 ')
})

test('a reading is taken back to its raw value, unless it may have been made of several', () => {
  const of = (curve: Curve | null, raw: number) =>
    rawOfReading(curve === null ? raw : curveAt(curve, raw), { curve }) ?? Number.NaN
  const cubic: Curve = { form: 'polynomial', coefficients: [0.2, 1, 0, 0.01] }
  assert.is(rawOfReading(3, undefined), 3)
  assert.is(of(null, 3), 3)
  for (const curve of [{ form: 'linear', gain: -2, offset: 1 } as const, cubic])
    assert.ok(Math.abs(of(curve, 3) - 3) < 1e-9, curve.form)
  assert.is(rawOfReading(4, { curve: { form: 'polynomial', coefficients: [0, 0, 1] } }), undefined)
  assert.is(
    rawOfReading(9, {
      curve: {
        form: 'table',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    }),
    undefined,
  )
})

test('the page knows every sentence with which a node refuses a calibration', () => {
  const find = reasonsAmong(enStaff.calibrationReason)
  const spec: SignalSpec = {
    name: 'voltage',
    unit: 'V',
    dtype: 'number',
    shape: [],
    kind: 'reading',
    access: 'read-set',
    limits: { low: 0, high: 10 },
  }
  const { limits: _, ...open } = spec
  const square: Curve = { form: 'polynomial', coefficients: [0, -4, 1] }
  const refused = (signal: SignalSpec, curve: Curve) => {
    try {
      fit(signal, curve, {})
    } catch (thrown) {
      return thrown instanceof LabError ? find(thrown.message)?.name : undefined
    }
    return undefined
  }
  assert.is(refused({ ...spec, dtype: 'boolean' }, square), 'type')
  assert.is(
    refused(spec, {
      form: 'table',
      points: [
        [20, 0],
        [30, 1],
      ],
    }),
    'outside',
  )
  assert.is(refused(spec, square), 'turns')
  assert.is(refused(open, { form: 'polynomial', coefficients: [0, 1, 0, 1] }), 'noLimits')
  assert.is(refused(spec, { form: 'linear', gain: 1, offset: 50 }), 'beyond')
})

test.run()
