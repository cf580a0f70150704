import { planOf } from 'fernlab/cli/commands/bench'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what "fernlab bench close" asks for')
const reason = 'new fuse'

test('now, at a time to come with or without an offset, at once or not', () => {
  assert.equal(planOf({ reason }), { reason })
  assert.equal(planOf({ reason, from: '2026-03-02T08:00+01:00', until: '2026-03-02T08:00Z', atOnce: true }), {
    reason,
    from: '2026-03-02T07:00:00.000Z',
    until: '2026-03-02T08:00:00.000Z',
    atOnce: true,
  })
})

test('hours of every week, with days by name or as a stretch, over Sunday too', () => {
  const weekly = (text: string) => planOf({ reason, weekly: text }).weekly
  assert.equal(weekly('mon-fri 18:00-08:00'), {
    days: ['mon', 'tue', 'wed', 'thu', 'fri'],
    from: '18:00',
    until: '08:00',
  })
  assert.equal(weekly('fri-mon,sat,wed 00:00-24:00')?.days, ['fri', 'sat', 'sun', 'mon', 'wed'])
  assert.is(planOf({ reason, weekly: 'sun 01:00-02:00', timeZone: 'Europe/Madrid' }).weekly?.timeZone, 'Europe/Madrid')
})

test('what cannot be read is refused by the option’s name', () => {
  const refused = (options: object) => {
    try {
      planOf({ reason, ...options })
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.match(refused({ from: 'soon' }), /--from "soon" is not a time/)
  assert.match(refused({ weekly: 'mon' }), /--weekly "mon" is not days and hours/)
  assert.match(refused({ weekly: 'mon-fry 10:00-11:00' }), /"mon-fry" is no day/)
  assert.match(refused({ timeZone: 'UTC' }), /--time-zone goes with --weekly/)
})

test.run()
