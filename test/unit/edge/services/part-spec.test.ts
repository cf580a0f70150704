import { partSpec, partSpecs } from '@fernlab/edge/services/parts/part-spec'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('what a part of a bench can do there')

const signal = { unit: 'V', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' } as const
const psu: InstrumentSpec = {
  name: 'psu',
  driver: 'scpi',
  signals: [
    { ...signal, name: 'voltage', limits: { low: 0, high: 30 } },
    { ...signal, name: 'current' },
    { ...signal, name: 'offset', limits: { low: -5, high: 5 } },
  ],
  actions: [],
}
const limitsOf = ({ signals }: InstrumentSpec) => signals.map(({ limits }) => limits)

test('limits are the narrower of the instrument and the bench, and those of another part do not count', () => {
  const bench = { 'psu.voltage': { low: -3, high: 5 }, 'psu.current': { high: 0.1 }, 'other.offset': { high: 1 } }
  assert.equal(limitsOf(partSpec(psu, 'psu', bench)), [{ low: 0, high: 5 }, { high: 0.1 }, { low: -5, high: 5 }])
  assert.equal(limitsOf(psu), [{ low: 0, high: 30 }, undefined, { low: -5, high: 5 }])
})

test('limits with nothing in common are told as the instrument has them', () => {
  assert.equal(limitsOf(partSpec(psu, 'psu', { 'psu.offset': { low: 6 } }))[2], { low: -5, high: 5 })
})

test('a description that stays the same is told by the same object', () => {
  assert.is(partSpec(psu, 'psu', { 'fgen.voltage': { high: 1 } }), psu)
  const narrowed = partSpecs('psu', { 'psu.voltage': { high: 5 } })
  assert.is(narrowed(psu), narrowed(psu))
  assert.is.not(narrowed(psu), narrowed({ ...psu }))
})

test.run()
