import { queueMs } from '@fernlab/hub/runs/moved'
import type { RunChange, RunWait } from '@fernlab/hub/runs/runs'
import { createRoom } from '@fernlab/hub/sessions/room'
import { followWaitingRooms } from '@fernlab/hub/sessions/waiting-rooms'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('those who wait in their session’s room')

test('are told when they moved, once a second at most, and nobody else is', async () => {
  const clock = new ManualClock(0)
  const waits = new Map<string, RunWait>([
    ['a', { position: 2, reason: 'one run before you' }],
    ['b', { position: 1, reason: 'you are next' }],
  ])
  let looked = 0
  let told: string[] = []
  let change: (change: RunChange) => void = () => {}
  const stop = followWaitingRooms({
    sessions: {
      onChange: (listener) => {
        change = listener
        return () => {
          change = () => {}
        }
      },
      waitOf: (id) => {
        looked++
        return waits.get(id)
      },
    },
    rooms: {
      ids: () => ['a', 'b', 'active'],
      get: (id) => ({ ...createRoom({ id: 'ada', name: 'Ada' }), tell: (name) => void told.push(`${id} ${name}`) }),
    },
    clock,
  })
  const hear = async (kind: RunChange['kind'], times = 1) => {
    looked = 0
    told = []
    for (let at = 0; at < times; at++) change({ runId: `other-${at}`, kind })
    await clock.advance(queueMs)
    return { looked, told }
  }
  assert.equal(
    await hear('state'),
    { looked: 3, told: ['a wait', 'b wait'] },
    'what they were told before is not known',
  )
  assert.equal(await hear('state', 1000), { looked: 3, told: [] }, 'a thousand changes are one look')
  assert.equal(await hear('progress', 10), { looked: 0, told: [] })
  waits.set('a', { position: 1, reason: 'you are next' })
  assert.equal((await hear('queue')).told, ['a wait'])
  waits.delete('b')
  assert.equal((await hear('state')).told, [])
  waits.set('b', { position: 1, reason: 'you are next' })
  assert.equal((await hear('state')).told, ['b wait'], 'one that was requeued')
  change({ runId: 'other', kind: 'state' })
  stop()
  assert.equal(await hear('state'), { looked: 0, told: [] })
})

test.run()
