/** What is given up without a signal, unless somebody asks for one. */
import { LazyAbort, whenAborted } from '@fernlab/shared/primitives/lazy-abort'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a lazy abort')

/** By a lazy one, and by a signal. */
const both = (test_: (made: () => { by: Parameters<typeof whenAborted>[0]; abort(reason: unknown): void }) => void) => {
  test_(() => {
    const lazy = new LazyAbort()
    return { by: lazy, abort: (reason) => lazy.abort(reason) }
  })
  test_(() => {
    const controller = new AbortController()
    return { by: controller, abort: (reason) => controller.abort(reason) }
  })
}

test('a signal is as one that was there from the beginning', () => {
  const lazy = new LazyAbort()
  const { signal } = lazy
  assert.is(signal, lazy.signal)
  lazy.abort('first')
  lazy.abort('second')
  assert.equal([signal.aborted, signal.reason, lazy.aborted], [true, 'first', true])
  const late = new LazyAbort()
  late.abort('before')
  assert.equal([late.signal.aborted, late.signal.reason], [true, 'before'])
})

test('who listens is told once, with the reason, also where it came before', () =>
  both((made) => {
    const { by, abort } = made()
    const told: unknown[] = []
    whenAborted(by, (reason) => told.push(reason))
    assert.equal(told, [])
    abort('why')
    abort('again')
    assert.equal(told, ['why'])
    whenAborted(by, (reason) => told.push(reason))
    assert.equal(told, ['why', 'why'])
  }))

test('each of several is told, and who leaves takes nobody else along', () =>
  both((made) => {
    const { by, abort } = made()
    const told: string[] = []
    const leaveFirst = whenAborted(by, (reason) => told.push(`first ${reason}`))
    whenAborted(by, (reason) => told.push(`second ${reason}`))
    const leaveThird = whenAborted(by, (reason) => told.push(`third ${reason}`))
    leaveThird()
    leaveFirst()
    whenAborted(by, (reason) => told.push(`fourth ${reason}`))
    leaveFirst()
    abort('why')
    assert.equal(told.sort(), ['fourth why', 'second why'])
  }))

test('who has left is told nothing', () =>
  both((made) => {
    const { by, abort } = made()
    const leave = whenAborted(by, () => assert.unreachable())
    leave()
    abort('why')
  }))

test.run()
