import { createSharedStatus } from '@fernlab/edge/drivers/lab-server/shared-status'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite("how the sessions of one lab's server stand")

type Answer = Readonly<Record<string, number>> | undefined

/** A server that answers with `answers.again` for each, and holds questions for several while `held`. */
function rig(isOld = false) {
  const clock = new ManualClock()
  const asked: string[] = []
  const signals: AbortSignal[] = []
  const letGo: (() => void)[] = []
  const answers: { again: number; held: boolean; fails: boolean } = { again: 5, held: false, fails: false }
  const answer = (ids: readonly string[]): Answer =>
    isOld ? undefined : Object.fromEntries(ids.map((id) => [id, answers.again]))
  const statuses = createSharedStatus({
    clock,
    calls: {
      status: async (id) => {
        asked.push(id)
        return answers.again
      },
      statuses: async (ids, _timeoutS, signal) => {
        asked.push(ids.join('+'))
        signals.push(signal)
        if (answers.held) await new Promise<void>((resolve) => letGo.push(resolve))
        if (answers.fails) throw new LabError({ code: 'down', kind: 'instrument', message: 'it is down' })
        return answer(ids)
      },
    },
  })
  const { signal } = new AbortController()
  return { clock, asked, signals, letGo, answers, statuses, ask: (id: string) => statuses.status(id, signal) }
}

test('one session is asked for by itself', async () => {
  const { ask, asked } = rig()
  assert.is(await ask('a'), 5)
  assert.is(await ask('a'), 5)
  assert.equal(asked, ['a', 'a'])
})

test('several are asked for at once, and each is told the rest of what the server wanted', async () => {
  const { ask, asked, clock } = rig()
  await ask('a')
  assert.is(await ask('b'), 5)
  await clock.advance(2000)
  assert.is(await ask('a'), 3)
  await clock.advance(3000)
  assert.is(await ask('b'), 5)
  assert.is(await ask('a'), 5)
  assert.equal(asked, ['a', 'a+b', 'a+b'])
})

test('what the server wanted to be asked again by now is not told', async () => {
  const { ask, asked, clock } = rig()
  await ask('a')
  await ask('b')
  await clock.advance(5000)
  await ask('a')
  assert.equal(asked, ['a', 'a+b', 'a+b'])
})

test('two that ask at the same time share the question, and its failure', async () => {
  const { ask, asked, answers, letGo } = rig()
  await ask('a')
  await ask('b')
  await ask('a')
  answers.held = true
  answers.fails = true
  const both = [ask('a'), ask('b')].map((one) =>
    one.then(
      () => 'fine',
      (error: LabError) => error.code,
    ),
  )
  letGo[0]?.()
  assert.equal(await Promise.all(both), ['down', 'down'])
  assert.equal(asked, ['a', 'a+b', 'a+b'])
})

test('the end of one is told to it alone, and it is asked for no more', async () => {
  const { ask, asked, answers, statuses } = rig()
  await ask('a')
  answers.again = -1
  assert.is(await ask('b'), -1)
  assert.is(await ask('a'), -1)
  statuses.forget('b')
  answers.again = 5
  assert.is(await ask('a'), 5)
  assert.equal(asked, ['a', 'a+b', 'a'])
})

test('an old server is asked for each by itself, until it has none and may be another', async () => {
  const { ask, asked, statuses } = rig(true)
  await ask('a')
  assert.is(await ask('b'), 5)
  assert.is(await ask('a'), 5)
  assert.equal(asked, ['a', 'a+b', 'b', 'a'])
  statuses.forget('a')
  statuses.forget('b')
  await ask('c')
  await ask('d')
  assert.equal(asked.slice(4), ['c', 'c+d', 'd'])
})

test('who gives up is let go at once; the question goes on for the other, and ends with the last', async () => {
  const { ask, answers, letGo, signals, statuses } = rig()
  await ask('a')
  await ask('b')
  await ask('a')
  answers.held = true
  const [one, two] = [new AbortController(), new AbortController()]
  const reasonOf = (id: string, { signal }: AbortController) =>
    statuses.status(id, signal).then(
      () => 'none',
      (reason: unknown) => reason,
    )
  const [first, second] = [reasonOf('a', one), reasonOf('b', two)]
  one.abort('first')
  assert.is(await first, 'first')
  assert.is(signals.at(-1)?.aborted, false)
  two.abort('second')
  assert.is(await second, 'second')
  assert.is(signals.at(-1)?.aborted, true)
  letGo[0]?.()
})

test.run()
