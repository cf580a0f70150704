import { followAttempt } from '@fernlab/hub/results/follow-attempt'
import { heartbeatMs } from '@fernlab/hub/results/run-events'
import type { RunChange, Runs } from '@fernlab/hub/runs/runs'
import type { Run } from '@fernlab/shared/contracts/api'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('an attempt that is followed')

function followed() {
  const present = { state: 'running', attempt: 1 }
  const listeners = new Set<(change: RunChange) => void>()
  const runs: Pick<Runs, 'get' | 'onChange'> = {
    get: async () => ({ ...present }) as Run,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const clock = new ManualClock()
  const gone = new AbortController()
  const attempt = followAttempt({ runs, clock, runId: 'r1', attempt: 1, signal: gone.signal })
  const tell = (kind: RunChange['kind'], runId = 'r1') => {
    for (const listener of listeners) listener({ runId, kind })
  }
  return { present, listeners, clock, gone, attempt, tell }
}

const settled = async (work: Promise<unknown>) => {
  let is = false
  work.then(() => {
    is = true
  })
  for (let i = 0; i < 20; i++) await Promise.resolve()
  return is
}

test('what came before its end was seen is read once more, and then it is over', async () => {
  for (const end of [{ state: 'succeeded' }, { state: 'queued', attempt: 2 }]) {
    const { present, attempt } = followed()
    Object.assign(present, end)
    assert.equal([await attempt.more(), await attempt.more(), await attempt.more()], ['news', 'end', 'end'])
  }
})

test('news is of its own documents and states, also what came while nobody waited; else it is quiet', async () => {
  const { attempt, tell, clock, listeners } = followed()
  tell('documents')
  assert.is(await attempt.more(), 'news')
  const waiting = attempt.more()
  tell('documents', 'r2')
  tell('progress')
  assert.is(await settled(waiting), false)
  tell('state')
  assert.is(await waiting, 'news')
  const quiet = attempt.more()
  assert.is(await settled(quiet), false)
  clock.advance(heartbeatMs)
  assert.is(await quiet, 'quiet')
  attempt.stop()
  assert.is(listeners.size, 0)
})

test('it is over at once for a reader who has gone', async () => {
  const { attempt, gone } = followed()
  const waiting = attempt.more()
  assert.is(await settled(waiting), false)
  gone.abort()
  assert.is(await waiting, 'end')
  assert.is(await attempt.more(), 'end')
})

test.run()
