import { executionAsyncId } from 'node:async_hooks'
import { getRequestStateAsyncLocalStorage } from '@better-auth/core/context'
import { followed } from '@fernlab/hub/accounts/followed'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('calls of better-auth that are followed')

/** An id of its own for what goes on after a promise: only where promises are followed. */
const isFollowing = async (): Promise<boolean> => {
  const before = executionAsyncId()
  await Promise.resolve()
  return executionAsyncId() !== before
}

test('a call keeps what it stands for until the last of all has ended; then nothing is followed', async () => {
  const storage = await getRequestStateAsyncLocalStorage()
  const state = new WeakMap()
  let end = () => {}
  const longer = new Promise<void>((resolve) => (end = resolve))
  const long = followed(() =>
    storage.run(state, async () => {
      await longer
      return storage.getStore()
    }),
  )
  const short = await followed(() => storage.run(new WeakMap(), async () => 'done'))
  assert.is(short, 'done')
  if (Number.parseInt(process.versions.node, 10) < 24) assert.ok(await isFollowing())
  end()
  assert.is(await long, state)
  assert.not(await isFollowing())
})

test('a call that fails is over as well', async () => {
  const storage = await getRequestStateAsyncLocalStorage()
  const failing = followed(() => storage.run(new WeakMap(), () => Promise.reject(new Error('no'))))
  assert.is(await failing.catch(({ message }) => message), 'no')
  assert.not(await isFollowing())
})

test.run()
