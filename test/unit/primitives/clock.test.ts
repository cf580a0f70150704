import { type Clock, ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { deadlineError, withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('clock and deadlines')

test('a manual clock fires timers in order of time, then of creation', async () => {
  const clock = new ManualClock(1000)
  const fired: string[] = []
  clock.after(20, () => fired.push('late'))
  clock.after(10, () => fired.push('first'))
  clock.after(10, () => fired.push('second'))
  await clock.advance(15)
  assert.equal(fired, ['first', 'second'])
  assert.is(clock.now(), 1015)
  await clock.advance(5)
  assert.equal(fired, ['first', 'second', 'late'])
})

test('a timer set by a timer fires in the same advance when it falls due', async () => {
  const clock = new ManualClock()
  const times: number[] = []
  const tick = () => {
    times.push(clock.monotonic())
    if (times.length < 4) clock.after(10, tick)
  }
  clock.after(10, tick)
  await clock.advance(100)
  assert.equal(times, [10, 20, 30, 40])
})

test('a jump of the wall clock fires nothing', async () => {
  const clock = new ManualClock(0)
  let fired = false
  clock.after(1000, () => {
    fired = true
  })
  clock.jump(3_600_000)
  await clock.advance(1)
  assert.not(fired)
  assert.is(clock.now(), 3_600_001)
})

for (const [name, make] of [
  ['manual', () => new ManualClock()],
  ['system', () => systemClock],
] as const) {
  test(`a sleep on the ${name} clock ends with the reason of its signal`, async () => {
    const controller = new AbortController()
    const sleeping = make().sleep(60_000, controller.signal)
    controller.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
    try {
      await sleeping
      assert.unreachable('the sleep went on')
    } catch (error) {
      assert.is((error as LabError).code, 'stopped')
    }
  })
}

test('an aborted deadline leaves no timer behind, though the work never settles', async () => {
  const clock = new ManualClock()
  const cancelled: number[] = []
  const watched: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, callback) => {
      const cancel = clock.after(ms, callback)
      return () => {
        cancelled.push(ms)
        cancel()
      }
    },
  }
  const controller = new AbortController()
  const work = withDeadline(
    watched,
    300_000,
    controller.signal,
    () => deadlineError('x', 1),
    () => new Promise(() => {}),
  )
  controller.abort(new Error('enough'))
  await work.catch(() => {})
  assert.equal(cancelled, [300_000])
})

test('a deadline rejects even when the work ignores its signal', async () => {
  const clock = new ManualClock()
  let aborted = false
  const work = withDeadline(
    clock,
    500,
    undefined,
    () => deadlineError('reading meter.voltage', 500, { instrument: 'meter' }),
    (signal) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise<never>(() => {})
    },
  ).catch((error: unknown) => error)
  await clock.advance(500)
  const error = (await work) as LabError
  assert.is(error.code, 'deadline-exceeded')
  assert.is(error.details.instrument, 'meter')
  assert.ok(aborted)
})

test('work that ends in time leaves no timer behind', async () => {
  const clock = new ManualClock()
  const value = await withDeadline(
    clock,
    500,
    undefined,
    () => deadlineError('x', 500),
    async () => 7,
  )
  assert.is(value, 7)
  await clock.advance(1000)
})

test('a time beyond what timers can take is waited for all the same', async () => {
  const real = globalThis.setTimeout
  const asked: number[] = []
  const fire: (() => void)[] = []
  globalThis.setTimeout = ((callback: () => void, ms: number) => {
    asked.push(ms)
    fire.push(callback)
    return fire.length
  }) as unknown as typeof setTimeout
  let fired = false
  try {
    systemClock.after(2 ** 32, () => {
      fired = true
    })
    for (let i = 0; i < asked.length && i < 10; i++) {
      assert.not.ok(fired)
      fire[i]?.()
    }
  } finally {
    globalThis.setTimeout = real
  }
  assert.ok(fired)
  assert.equal(asked, [2 ** 31 - 1, 2 ** 31 - 1, 2])
})

test.run()
