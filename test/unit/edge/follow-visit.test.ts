import { followVisit } from '@fernlab/edge/engine/follow-visit'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite("following a session on a lab's own server")

/** Answers what it is given, one after the other: seconds, or a failure. */
function rig(answers: readonly (number | 'fails')[]) {
  const clock = new ManualClock()
  const ending = new AbortController()
  const askedAt: number[] = []
  const rows: Record<string, string>[] = []
  const began = clock.monotonic()
  const never = async () => {
    throw new LabError({ code: 'not-asked', kind: 'bug', message: 'this is not asked for' })
  }
  const following = followVisit({
    visit: {
      start: never,
      dispose: never,
      status: async () => {
        const answer = answers[askedAt.length]
        askedAt.push((clock.monotonic() - began) / 1000)
        if (answer === 'fails') throw new LabError({ code: 'x', kind: 'instrument', message: 'it is down' })
        return answer ?? 0
      },
    },
    server: { page: (url) => ({ url, through: 'hub' }), connect: never, start: never, status: never, dispose: never },
    part: 'server',
    clock,
    log: silentLog,
    signal: ending.signal,
    note: (row) => void rows.push(row as Record<string, string>),
  })
  return {
    following,
    askedAt,
    rows,
    ending,
    pass: (seconds: number) => clock.advance(seconds * 1000),
  }
}

test('it is asked at once, then when it says, and a negative answer ends it', async () => {
  const { following, askedAt, rows, pass } = rig([2, 7, -1])
  await pass(10)
  assert.is(await following, 'ended')
  assert.equal(askedAt, [0, 2, 9])
  assert.equal(rows, [{ what: 'lab-status', target: 'server', value: '-1', outcome: 'done' }])
})

test('zero is not asked again; the end of the session ends the wait', async () => {
  const { following, askedAt, ending, pass } = rig([0, -1])
  await pass(100)
  assert.equal(askedAt, [0])
  ending.abort()
  assert.is(await following, 'left')
})

test('no more often than twice a second', async () => {
  const { askedAt, ending, pass, following } = rig([0.001, 0.001, 0])
  await pass(1)
  assert.equal(askedAt, [0, 0.5, 1])
  ending.abort()
  await following
})

test('two failures are forgiven, three in a row are not', async () => {
  const forgiven = rig(['fails', 'fails', 3, 'fails', 'fails', 0])
  await forgiven.pass(40)
  assert.is(forgiven.askedAt.length, 6)
  assert.equal(
    forgiven.rows.map(({ outcome }) => outcome),
    ['it is down', 'it is down', 'done', 'it is down', 'it is down', 'done'],
  )
  forgiven.ending.abort()
  assert.is(await forgiven.following, 'left')
  const dead = rig(['fails', 'fails', 'fails', 5])
  const ended = dead.following.then(
    () => undefined,
    (error: LabError) => error.code,
  )
  await dead.pass(20)
  assert.is(await ended, 'lab-server-lost')
  assert.equal(dead.askedAt, [0, 5, 10])
})

test.run()
