import { AWAY_MS, whetherToTell } from '@fernlab/hub/bench-care/whether-to-tell'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('which changes of a bench are told')

const check = { at: 0, state: 'fault', cause: 'check' } as const
const away = { at: 0, state: 'offline', cause: 'node' } as const
const up = { at: 0, state: 'up', cause: 'bench' } as const
const closed = { at: 0, state: 'maintenance', cause: 'staff' } as const

test('a failed check is told at once, a node that is away after a while', () => {
  assert.is(whetherToTell(check, undefined, undefined, 0), 'tell')
  assert.is(whetherToTell(away, undefined, undefined, AWAY_MS - 1), 'wait')
  assert.is(whetherToTell(away, undefined, undefined, AWAY_MS), 'tell')
})

test('what was over before it was worth telling is left, however late one looks', () => {
  assert.is(whetherToTell(away, AWAY_MS - 1, undefined, 10 * AWAY_MS), 'leave')
  assert.is(whetherToTell(away, AWAY_MS, undefined, 10 * AWAY_MS), 'tell')
})

test('an end is told only where the beginning was', () => {
  assert.is(whetherToTell(up, undefined, undefined, 0), 'leave')
  assert.is(whetherToTell(up, undefined, up, 0), 'leave')
  assert.is(whetherToTell(up, undefined, check, 0), 'tell')
  assert.is(whetherToTell(up, undefined, away, 0), 'tell')
})

test('what staff have planned is no news to them', () => {
  assert.is(whetherToTell(closed, undefined, undefined, 0), 'leave')
  assert.is(whetherToTell(closed, undefined, check, 0), 'leave')
})

test('the same trouble is told once, also where its node was away for a moment in between', () => {
  const again = { ...check, at: AWAY_MS }
  assert.is(whetherToTell(again, undefined, check, AWAY_MS), 'leave')
  assert.is(whetherToTell({ ...again, cause: 'clean-up' }, undefined, check, AWAY_MS), 'tell')
  assert.is(whetherToTell(again, undefined, up, AWAY_MS), 'tell')
  assert.is(whetherToTell(again, undefined, away, AWAY_MS), 'tell')
  assert.is(whetherToTell({ ...away, at: 1 }, undefined, away, 10 * AWAY_MS), 'leave')
})

test.run()
