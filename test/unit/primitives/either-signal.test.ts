import { getEventListeners } from 'node:events'
import { withEither } from '@fernlab/shared/primitives/either-signal'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('either of several signals')

const reasonIn = (signals: readonly AbortSignal[]) =>
  withEither(
    signals,
    (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
  )

test('each of them ends the work, with its reason', async () => {
  for (const which of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()]
    const reason = reasonIn(controllers.map(({ signal }) => signal))
    controllers[which]?.abort(`by ${which}`)
    assert.is(await reason, `by ${which}`)
  }
})

test('one that has aborted before the work begins is seen by it', async () => {
  const signals = [new AbortController().signal, AbortSignal.abort('before')]
  await withEither(signals, async (signal) => assert.is(signal.reason, 'before'))
})

test('nothing is left at a signal that lives on, however the work ended', async () => {
  const { signal } = new AbortController()
  await withEither([signal], async () => assert.is(getEventListeners(signal, 'abort').length, 1))
  await withEither([signal], () => Promise.reject(new Error('no'))).catch(() => {})
  assert.is(getEventListeners(signal, 'abort').length, 0)
})

test.run()
