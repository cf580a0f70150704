import type { PlotSpec } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { tickTexts } from '../../hub/web/src/chart/ticks.ts'
import { regionOf } from '../../hub/web/src/language/language.ts'
import { columnText } from '../../hub/web/src/run/column-text.ts'
import { plotsFor } from '../../hub/web/src/run/plots.ts'
import { suite } from '../support/suite.ts'

const test = suite('how a run is shown')
type Texts = Parameters<typeof columnText>[1]
const english = (() => '.') as unknown as Texts

const stream = (name: string) => ({
  stream: name,
  keys: { dmm_voltage: { unit: 'V', dtype: 'number' as const, title: 'Voltage', source: 'dmm.voltage' } },
  time: [0, 1],
  columns: { dmm_voltage: [0, 1] },
  rows: 2,
  reduced: false,
})
const declared: readonly PlotSpec[] = [
  {
    title: 'Charge',
    stream: 'charge',
    x: 'time',
    y: ['dmm.voltage'],
    kind: 'line',
    xScale: 'linear',
    yScale: 'linear',
  },
]

test('a run that failed before its plotted stream began is drawn by the points that it has', () => {
  const [plot] = plotsFor(declared, [stream('discharge')], true)
  assert.is(plot?.stream, 'discharge')
  assert.equal(plot?.y, ['dmm_voltage'])
})

test('while a run goes on, the declared plot waits for its stream', () => {
  assert.equal(plotsFor(declared, [stream('discharge')], false), declared)
  assert.equal(plotsFor(declared, [stream('discharge'), stream('charge')], true), declared)
})

test('points of a column stand below each other, without digits that its largest value does not have', () => {
  assert.equal(columnText([0.00001, 4.7, -4.72], english), ['0.00001', '4.70000', '−4.72000'])
  assert.equal(columnText([4.7, 4.72, 0], english), ['4.70', '4.72', '0.00'])
  assert.equal(columnText([0.001, 2e-7], english), ['0.0010000', '0.0000002'])
  assert.equal(columnText([1 / 3, 1234.5], english), ['0.333', '1234.500'])
  assert.equal(columnText([12, null, 'on', true], english), ['12', '', 'on', 'true'])
  assert.equal(columnText([0.25, 'v1.2'], (() => ',') as unknown as Texts), ['0,25', 'v1.2'])
})

test('a column over many decades is shown in powers of ten', () => {
  assert.equal(columnText([1.5e-9, 2e-8, -3e-7, 0.0054], english), [
    '1.5000e−9',
    '2.0000e−8',
    '−3.0000e−7',
    '5.4000e−3',
  ])
  assert.equal(columnText([0, 2e-6], english), ['0', '2.0000e−6'])
  assert.equal(columnText([2e7], english), ['2.0000e+7'])
})

test('an axis says where its marks are, with no more digits than that takes', () => {
  assert.equal(tickTexts([0, 0.25, 0.5], 1), ['0.00', '0.25', '0.50'])
  assert.equal(tickTexts([-0.5, 0, 0.5], 1), ['−0.5', '0.0', '0.5'])
  assert.equal(tickTexts([0, 2.5, 5], 1), ['0.0', '2.5', '5.0'])
  assert.equal(tickTexts([0, 2e-6, 4e-6], 1e-6), ['0', '2', '4'])
  assert.equal(tickTexts([0, 20, null], 1), ['0', '20', ''])
})

test('dates are written as the browser’s own kind of the language does', () => {
  assert.is(regionOf('en', ['es-MX', 'en-GB', 'en-US']), 'en-GB')
  assert.is(regionOf('es', ['en-GB']), 'es')
})

test.run()
