import { startTicker } from '@fernlab/hub/ticker'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the ticker', { timeoutMs: 20_000 })

test('calls again and again, until it is ended', async () => {
  let calls = 0
  let called = () => {}
  const stop = startTicker('* * * * * *', () => {
    calls++
    called()
  })
  for (const _ of [1, 2]) await new Promise<void>((resolve) => (called = resolve))
  await stop()
  // A file that leaves a timer behind does not end.
  assert.is(calls, 2)
})

test('ended before its first call, it never calls', async () => {
  let calls = 0
  await startTicker('* * * * * *', () => calls++)()
  assert.is(calls, 0)
})

test.run()
