import { encodeFrame, FrameReader } from '@fernlab/firmware-bridge/link/frames'
import { reply, request } from '@fernlab/firmware-bridge/link/messages'
import { Requester } from '@fernlab/firmware-bridge/link/requester'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('questions to a firmware')

test('an answer that comes after the question was asked again belongs to the time since it was asked first', async () => {
  const clock = new ManualClock(0)
  const reader = new FrameReader()
  const numbers: number[] = []
  const requester = new Requester({
    board: 'bench',
    clock,
    send: async (bytes) => void numbers.push(...reader.push(bytes).map(({ number }) => number)),
    againMs: 60,
    onSilence: () => assert.unreachable(),
    onNoSession: () => assert.unreachable(),
  })
  await clock.advance(1000)
  const askedMs = clock.monotonic()
  const { signal } = new AbortController()
  const answer = requester.ask({ kind: request.time, payload: new Uint8Array(9), what: 'for its time' }, signal)
  await clock.advance(62)
  assert.is(numbers.length, 2, 'asked twice')
  assert.is(numbers[0], numbers[1])
  const bytes = encodeFrame({
    kind: (reply | request.time) as never,
    number: numbers[0] ?? 0,
    acknowledged: 0,
    credit: 0,
    payload: Uint8Array.of(0, 1, 2, 3, 4),
  })
  for (const frame of new FrameReader().push(bytes)) requester.receive(frame)
  const { sentMs, receivedMs } = await answer
  assert.equal([sentMs - askedMs, receivedMs - askedMs], [0, 62])
})

test.run()
