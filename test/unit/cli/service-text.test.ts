import { defineService } from '@fernlab/shared/rpc/contract/service-contract'
import { controlsOfService, readingsOf, wantsLock } from 'fernlab/cli/service-text'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is followed, as a terminal shows it')

test('a block of samples is shown sample by sample, a reading as it is', () => {
  const block = {
    time: Float64Array.of(10, 10.5),
    columns: { potential: Float64Array.of(-65, 20), m: Float64Array.of(0, 1) },
  }
  assert.equal(readingsOf(block), [
    { potential: { value: -65, time: 10 }, m: { value: 0, time: 10 } },
    { potential: { value: 20, time: 10.5 }, m: { value: 1, time: 10.5 } },
  ])
  const reading = { time: { value: 3, time: 1 } }
  assert.equal(readingsOf(reading), [reading])
})

test('what an action or signal takes is shown with its limits and choices', () => {
  const contract = defineService({
    kind: 'thermo',
    version: '1.0',
    actions: {
      heat: {
        arguments: {
          to: { type: 'number', unit: 'Cel', minimum: 0, maximum: 80 },
          mode: { type: 'string', enum: ['slow', 'fast'], default: 'slow' },
          times: { type: 'integer', minimum: 1 },
        },
        result: { type: 'number', unit: 'Cel' },
      },
    },
    signals: {
      target: {
        dtype: 'number',
        unit: 'Cel',
        shape: [],
        kind: 'configuration',
        access: 'read-set',
        limits: { high: 80 },
      },
      range: {
        dtype: 'string',
        unit: '1',
        shape: [],
        kind: 'configuration',
        access: 'read-set',
        values: ['low', 'high'],
      },
    },
    events: {},
  })
  assert.equal(
    controlsOfService(contract).map(({ takes }) => takes),
    [
      'to: number in Cel 0..80, mode: string (slow | fast)?, times: integer 1..',
      'number in Cel ..80',
      'string (low | high)',
    ],
  )
})

test('a lock is advised where it would help, and for no right that it does not give', () => {
  const wants = (code: string, details = {}) => wantsLock({ code, details })
  assert.equal([wants('bench-not-held'), wants('right-missing', { bench: 'bench-1' })], [true, true])
  assert.equal([wants('right-missing'), wants('bench-held'), wants('service-locked')], [false, false, false])
})

test.run()
