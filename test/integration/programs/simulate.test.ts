import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, until } from '../hub/hub-with-node.ts'

const test = suite('playing again what a hub has recorded', { timeoutMs: 120_000 })
const simulate = fileURLToPath(new URL('../../../scripts/simulate/simulate.mjs', import.meta.url))

interface Played {
  readonly load: Readonly<Record<string, number>>
  readonly outcomes: Readonly<
    Record<
      string,
      { served: number; bookings: number; lateBookings: number; neverBegan: number; waitS: { max: number } }
    >
  >
}

test('the database of a hub is played: its runs, in the queue and on their benches, its bookings and what was closed', async () => {
  const lab = await startTestHub({ labYaml: 'session:\n  seconds: 60\n  mostSeconds: 7200\n' })
  try {
    await lab.node('n')
    const post = async <Answer>(path: string, json: object): Promise<Answer> => {
      const answer = await lab.call(path, { method: 'POST', json })
      assert.ok(answer.ok, `${path}: ${answer.status}`)
      return (await answer.json()) as Answer
    }
    const submit = (pause: number) =>
      post<{ id: string }>('/api/v1/runs', { lab: 'small', protocol: 'set', parameters: { value: 1, pause } })
    const runs = [await submit(2), await submit(0), await submit(0)]
    for (const { id } of runs) assert.is((await lab.final(id)).state, 'succeeded')
    const from = new Date(Date.now() + 86_400_000).toISOString()
    const reopens = new Date(Date.now() + 2 * 86_400_000).toISOString()
    const booking = await post<Booking>('/api/v1/bookings', {
      lab: 'small',
      start: new Date().toISOString(),
      seconds: 600,
    })
    await post('/api/v1/benches/n.b-1/outages', { reason: 'fuse', from, until: reopens })
    await until(async () => {
      const found = (await (await lab.call(`/api/v1/bookings/${booking.id}`)).json()) as Booking
      return found.session !== undefined
    }, 'the booking has begun')
    await lab.call(`/api/v1/bookings/${booking.id}/cancel`, { method: 'POST' })
    await until(async () => {
      const benches = (await (await lab.call('/api/v1/benches')).json()) as { items: { state: string }[] }
      return benches.items.every(({ state }) => state === 'free')
    }, 'its bench is free')
    const { code, out, err } = await runCommand(process.execPath, [
      simulate,
      '--database',
      lab.config.databaseUrl.slice('sqlite:'.length),
      '--json',
    ])
    assert.is(code, 0, err)
    const { load, outcomes } = JSON.parse(out) as Played
    assert.equal(load, { benches: 1, runs: 3, bookings: 1, failures: 0 })
    for (const [name, { served, bookings, lateBookings, neverBegan, waitS }] of Object.entries(outcomes)) {
      assert.equal([served, bookings, lateBookings, neverBegan], [3, 1, 0, 0], name)
      assert.ok(waitS.max >= 1 && waitS.max < 30, `${name}: ${waitS.max} s`)
    }
    const none = await runCommand(process.execPath, [simulate, '--database', join(lab.folder, 'none.db')])
    assert.is(none.code, 1)
    assert.match(none.err, /none\.db could not be opened as a hub's database/)
    assert.not.match(none.err, /\n +at /)
  } finally {
    await lab.close()
  }
})

test.run()
