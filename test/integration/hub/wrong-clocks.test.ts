/** The hub's clock is set by two days, or a node's is two days wrong: what runs lasts as long as it does, and is told so. */
import { join } from 'node:path'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { loadSqlite } from '@fernlab/shared/storage/sqlite'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('clocks that are wrong', { timeoutMs: 60_000 })
const dayMs = 86_400_000
const sessionS = 10

interface SetClock extends Clock {
  aheadMs: number
}
const settable = (): SetClock => {
  const clock: SetClock = { ...systemClock, aheadMs: 0, now: () => systemClock.now() + clock.aheadMs }
  return clock
}
let clock: SetClock
let nodes: SetClock
let lab: TestHub
let ada: TestPerson

test.before.each(async () => {
  clock = settable()
  nodes = settable()
  lab = await startTestHub({
    clock,
    labYaml: `session: { seconds: ${sessionS}, mostSeconds: 60, cleanUp: [{ set: { box.value: 2 } }] }\n`,
  })
  ada = await newPerson(lab)
})
test.after.each(() => lab.close())

const get = async (id: string) => (await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const reaches = async (id: string, state: Session['state']): Promise<Session> => {
  await until(async () => (await get(id)).state === state, `it is ${state}`, 30_000)
  return await get(id)
}
/** One that is active, and when it became so. */
const active = async (): Promise<{ id: string; sinceMs: number }> => {
  const asked = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  const { id } = asked.body as Session
  await reaches(id, 'active')
  return { id, sinceMs: performance.now() }
}
/** It is two days away where a clock is taken for another; a busy machine is late by much less. */
const LATE_MS = 2500
const isNear = (found: number, wanted: number, what: string, lateMs = LATE_MS) =>
  assert.ok(found > wanted - LATE_MS && found < wanted + lateMs, `${what}: ${found} ms, not ${wanted} ms`)
const leftMs = async (id: string) => Date.parse((await get(id)).endsAt ?? '') - clock.now()
/** It ends by itself when its time is over, and is told to have lasted as long. */
const endsInTime = async ({ id, sinceMs }: { id: string; sinceMs: number }, lastsS = sessionS) => {
  const { reason, activeAt = '', endedAt = '' } = await reaches(id, 'closed')
  assert.is(reason, 'its time was over')
  isNear(performance.now() - sinceMs, lastsS * 1000, 'it lasted', 3 * LATE_MS)
  isNear(Date.parse(endedAt) - Date.parse(activeAt), lastsS * 1000, 'it is told to have lasted')
}

test('the hub’s is set two days ahead, back and right again: a session has its time, neither more nor less', async () => {
  await lab.node('node-1')
  for (const days of [
    [0, 2],
    [2, 0, -2],
  ]) {
    const session = await active()
    const passed = () => performance.now() - session.sinceMs
    for (const ahead of days) {
      clock.aheadMs = ahead * dayMs
      isNear(await leftMs(session.id), sessionS * 1000 - passed(), `left, ${ahead} days ahead`)
    }
    await endsInTime(session)
  }
})

test('it is made longer by as much as was asked for while the hub’s is two days wrong', async () => {
  await lab.node('node-1')
  for (const ahead of [2, 0]) {
    const session = await active()
    clock.aheadMs = ahead * dayMs
    const { status, body } = await ada.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 3 })
    assert.equal([status, (body as Session).seconds], [200, sessionS + 3])
    isNear(await leftMs(session.id), (sessionS + 3) * 1000 - (performance.now() - session.sinceMs), 'left')
    await endsInTime(session, sessionS + 3)
  }
})

test('it is set while the hub is down: the time that is left is what the node says', async () => {
  await lab.node('node-1')
  const session = await active()
  const more = await ada.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 50 })
  assert.is(more.status, 200)
  for (const days of [2, -2]) {
    clock.aheadMs = days * dayMs
    await lab.restart()
    const wanted = () => (sessionS + 50) * 1000 - (performance.now() - session.sinceMs)
    const viewer = await watch(lab, session.id, ada.bearer)
    await until(async () => Math.abs((await leftMs(session.id)) - wanted()) < LATE_MS, 'it is told right')
    viewer.socket.terminate()
    assert.is((await get(session.id)).state, 'active')
  }
  await ada.ask('POST', `/api/v1/sessions/${session.id}/finish`)
  await reaches(session.id, 'closed')
})

const run = async (pause: number): Promise<Run> => {
  const json = { lab: 'small', protocol: 'set', parameters: { value: 1, pause } }
  const { id } = (await (await lab.call('/api/v1/runs', { method: 'POST', json })).json()) as { id: string }
  return await lab.final(id)
}
/** No shorter than it pauses, and no longer than it took here from before it was asked for until its end was seen. */
const isAsLong = (toldMs: number, pauseMs: number, beganMs: number, what: string) => {
  const mostMs = performance.now() - beganMs
  assert.ok(toldMs > pauseMs - 100 && toldMs < mostMs + 100, `${what}: ${toldMs} ms, of ${pauseMs} to ${mostMs} ms`)
}
const took = ({ startedAt = '', endedAt = '' }: Run) => Date.parse(endedAt) - Date.parse(startedAt)

/** The bench time that counts for it, as a start of the hub sums it. */
const heldMs = async (id: string): Promise<number> => {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(join(lab.folder, 'hub', 'hub.db'), { readOnly: true })
  try {
    const [row] = database.prepare('SELECT ended_at - assigned_at AS ms FROM attempt WHERE run_id = ?').all(id)
    return Number(row?.ms)
  } finally {
    database.close()
  }
}

for (const days of [2, -2]) {
  test(`a node’s is ${days} days ahead: its runs, its sessions and what was done in them are told by the hub’s`, async () => {
    nodes.aheadMs = days * dayMs
    await lab.node('node-1', { clock: nodes })
    const beganMs = performance.now()
    const { startedAt = '', createdAt, ...rest } = await run(2)
    isNear(Date.parse(startedAt), Date.parse(createdAt), 'it began')
    isAsLong(took({ startedAt, createdAt, ...rest } as Run), 2000, beganMs, 'it took')
    const session = await active()
    isNear(await leftMs(session.id), sessionS * 1000 - (performance.now() - session.sinceMs), 'left')
    const { activeAt = '' } = await get(session.id)
    isNear(Date.parse(activeAt), clock.now() - (performance.now() - session.sinceMs), 'it became active')
    await endsInTime(session)
  })

  test(`the hub’s was ${days} days ahead when the node came, and is put right: runs take as long as they do`, async () => {
    clock.aheadMs = days * dayMs
    await lab.node('node-1')
    clock.aheadMs = 0
    const beganMs = performance.now()
    isAsLong(took(await run(2)), 2000, beganMs, 'it took')
    const session = await active()
    isNear(await leftMs(session.id), sessionS * 1000 - (performance.now() - session.sinceMs), 'left')
  })

  test(`the hub’s is set by ${days} days during a run: it took as long as it did, and counts for as much`, async () => {
    await lab.node('node-1')
    const beganMs = performance.now()
    const json = { lab: 'small', protocol: 'set', parameters: { value: 1, pause: 3 } }
    const { id } = (await (await lab.call('/api/v1/runs', { method: 'POST', json })).json()) as { id: string }
    await until(async () => (await lab.hub.runs.get(id))?.state === 'running', 'it runs')
    clock.aheadMs = days * dayMs
    isAsLong(took(await lab.final(id)), 3000, beganMs, 'it took')
    isAsLong(await heldMs(id), 3000, beganMs, 'it counts for')
    const again = await run(0)
    assert.is(again.state, 'succeeded', 'the bench is there')
  })
}

test.run()
