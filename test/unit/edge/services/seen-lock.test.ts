import { inUse, type UsedBench } from '@fernlab/edge/services/locks/seen-lock'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('who is told who has a bench')

const since = '2026-11-28T10:00:00.000Z'
const lock = { owner: 'ada', since, reason: 'a sweep' }
const used = (more: Partial<UsedBench> = {}): UsedBench => ({
  bench: 'bench-1',
  by: 'direct',
  since,
  lock,
  isOwn: false,
  ...more,
})
const told = (rights: readonly string[], bench: UsedBench) => {
  const viewer = { person: 'bob', may: (right: string) => rights.includes(right) }
  const { code, retry, message, details } = inUse(viewer, 'bench-1.psu', bench, 'bench-held')
  assert.equal([code, retry], ['bench-held', 'later'])
  return { message, details }
}

test('since when to everybody, by whom and what for to who may end it', () => {
  assert.equal(told(['read', 'use'], used()), {
    message: `bench bench-1 is in use: somebody else has it since ${since}; wait until it is given back`,
    details: { since },
  })
  assert.equal(told(['unlock'], used()), {
    message: `bench bench-1 is in use: ada has it since ${since} (a sweep); wait until it is given back`,
    details: { since, by: 'ada', reason: 'a sweep' },
  })
})

test('of a hold of the hub, whose people a node does not know by name, since when', () => {
  assert.equal(told(['unlock'], used({ lock: undefined })).details, { since })
})

test('that it is one’s own, or a run’s, which is nobody’s to be named', () => {
  assert.equal(told(['use'], used({ lock: undefined, isOwn: true })), {
    message: `bench bench-1 is in use: you have it in another program or page, since ${since}; give it back there`,
    details: { since, mine: true },
  })
  assert.equal(told(['unlock'], used({ lock: undefined, by: 'run' })), {
    message: `bench bench-1 is in use: a run has it since ${since}; wait until it is over`,
    details: { since, run: true },
  })
})

test.run()
