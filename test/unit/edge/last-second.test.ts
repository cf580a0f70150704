import { createSeat } from '@fernlab/edge/engine/seat'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a session at its last second')
const LASTS_S = 60
const MORE_S = 30

/** A session that is active and is over after `LASTS_S`. */
async function begun() {
  const clock = new ManualClock(0)
  const seat = createSeat({ clock, log: silentLog, lab: 'a-lab', visitor: undefined, onSilence: () => {} })
  const rows: string[] = []
  const recorder = {
    open: async () => {},
    row: (_stream: string, _at: number, { what }: { what: string }) => void rows.push(what),
    flush: () => {},
  }
  const live = { op: 'live', path: [], seconds: LASTS_S, idleS: 600, silenceS: 600 } as never
  const over = seat.hold(live, { recorder } as never, new AbortController().signal)
  while (seat.stage !== 'active') await Promise.resolve()
  return { clock, seat, rows, over }
}
const refusal = (work: () => unknown): string | undefined => {
  try {
    work()
  } catch (error) {
    return asLabError(error).code
  }
  return undefined
}

for (let ms = -5; ms <= 5; ms++) {
  test(`made longer ${Math.abs(ms)} ms ${ms < 0 ? 'before' : 'after'} its end: it is longer, or that is refused`, async () => {
    const { clock, seat, rows, over } = await begun()
    await clock.advance(LASTS_S * 1000 + ms)
    const code = refusal(() => seat.extend('ada', LASTS_S + MORE_S))
    assert.is(code, ms < 0 ? undefined : 'session-not-active')
    if (code === undefined) {
      await clock.advance(MORE_S * 1000 - ms - 1)
      assert.equal([seat.stage, seat.reason], ['active', undefined])
      await clock.advance(1)
    }
    await over
    assert.equal([seat.stage, seat.reason, seat.secondsLeft], ['finishing', 'its time was over', undefined])
    assert.equal(rows, code === undefined ? ['begin', 'extend', 'end'] : ['begin', 'end'])
    assert.is(clock.monotonic(), (code === undefined ? LASTS_S + MORE_S : LASTS_S) * 1000 + Math.max(0, ms))
  })
}

test('ended twice and commanded afterwards: it ends once, and the command is refused', async () => {
  const { seat, rows, over } = await begun()
  seat.finish('ada')
  seat.finish('ben')
  const command = () => seat.command('ada', { what: 'set', values: {} }, new AbortController().signal)
  const late = await command().catch(asLabError)
  await over
  const later = await command().catch(asLabError)
  seat.finish('ada')
  assert.equal(
    [late, later].map((error) => 'code' in error && error.code),
    ['session-not-active', 'session-not-active'],
  )
  assert.equal([rows, seat.reason], [['begin', 'finish', 'end'], 'it was finished'])
})

test.run()
