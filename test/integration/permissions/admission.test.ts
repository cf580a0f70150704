/** Permissions where they count: a real hub with a node that is away, so that runs stay open. */
import type { Caller } from '@fernlab/hub/accounts/caller'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, student, type TestHub } from '../hub/hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from '../hub/scripted-node.ts'

const test = suite('permissions when a run is submitted', { timeoutMs: 60_000 })
const dayMs = 86_400_000
/** A Wednesday noon, far from where days and weeks begin. */
const noon = (Math.floor(systemClock.now() / (7 * dayMs)) + 1) * 7 * dayMs + 6.5 * dayMs
const aheadMs = noon - systemClock.now()
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
let lab: TestHub
let node: ScriptedNode

test.before.each(async () => {
  lab = await startTestHub({ clock })
  node = await startScriptedNode(lab, 'n')
})
test.after.each(async () => {
  await node.close()
  await lab.close()
})

const everyone = (gives: object) => change('PUT', 'everyone', { gives })
async function change(method: string, id: string, json?: object) {
  const path = `/api/v1/permissions${id === '' ? '' : `/${id}`}`
  const answer = await lab.call(path, { method, ...(json === undefined ? {} : { json }) })
  assert.ok(answer.ok, await answer.clone().text())
}
let keys = 0
const submit = (who: Caller = student, more: object = {}, key?: string) =>
  lab.hub.runs.submit(
    who,
    { lab: 'small', protocol: 'set', ...more },
    key === undefined ? {} : { idempotencyKey: `${key}-${keys++}` },
  )
async function code(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    assert.instance(error, LabError, String(error))
    return (error as LabError).code
  }
  return 'none'
}

test('without a permission nothing is queued; the answer is 403 and says so', async () => {
  await change('DELETE', 'everyone')
  assert.is(await code(submit()), 'not-permitted')
  assert.is(await code(submit(admin)), 'none', 'an admin is not limited')
  await change('POST', '', { subject: { kind: 'role', id: 'student' }, protocols: ['nothing'] })
  assert.is(await code(submit()), 'not-permitted')
  assert.is(await code(submit(student, { protocol: 'nothing' })), 'none')
  assert.is(await code(submit({ ...student, role: 'builder' }, { protocol: 'nothing' })), 'not-permitted')
})

test('a permission that is over or has not begun gives nothing', async () => {
  await change('PUT', 'everyone', { until: new Date(clock.now() - 1000).toISOString() })
  assert.is(await code(submit()), 'not-permitted')
  await change('PUT', 'everyone', { until: null, from: new Date(clock.now() + 3_600_000).toISOString() })
  assert.is(await code(submit()), 'not-permitted')
  await change('PUT', 'everyone', { from: null })
  assert.is(await code(submit()), 'none')
})

for (const key of [undefined, 'key']) {
  const how = key === undefined ? 'without a key' : 'each with a key'
  test(`of many at the same moment no more get a place than may, ${how}`, async () => {
    await everyone({ mostOpen: 3 })
    const calls = Array.from({ length: 200 }, () => code(submit(student, {}, key)))
    const codes = await Promise.all(calls)
    assert.is(codes.filter((one) => one === 'none').length, 3)
    assert.is(codes.filter((one) => one === 'reservations-full').length, 197)
    assert.is((await lab.hub.runs.list({ limit: 200, person: student.personId })).items.length, 3)
    // Somebody else has places of their own, and a place that is free again is given again.
    assert.is(await code(submit({ ...student, personId: 'other' }, {}, key)), 'none')
    const [run] = (await lab.hub.runs.list({ limit: 1, person: student.personId, state: 'queued' })).items
    await lab.hub.runs.cancel(run?.id ?? '', student)
    assert.equal(await Promise.all([code(submit(student, {}, key)), code(submit(student, {}, key))]), [
      'none',
      'reservations-full',
    ])
  })
}

test('of a thousand at the same moment one gets the last place, 200 times', async () => {
  await everyone({ mostOpen: 1 })
  // The bench is somebody else's: who has won waits, and leaves at once.
  await submit({ ...student, personId: 'other' })
  await node.take()
  for (let round = 0; round < 200; round++) {
    const all = await Promise.allSettled(Array.from({ length: 1000 }, () => submit()))
    const won = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const codes = new Set(all.flatMap((one) => (one.status === 'rejected' ? [(one.reason as LabError).code] : [])))
    assert.equal([won.length, [...codes]], [1, ['reservations-full']], `round ${round}`)
    await lab.hub.runs.cancel(won[0]?.id ?? '', student)
  }
  const { items } = await lab.hub.runs.list({ limit: 300, person: student.personId })
  assert.is(items.length, 200)
})

test('of two people who ask for the last bench at the same moment one has it, and the other is next', async () => {
  const rivals = [student, { ...student, personId: 'rival' }]
  for (let round = 0; round < cases(50); round++) {
    // Who asks first varies.
    const order = round % 2 === 0 ? rivals : rivals.toReversed()
    const [one, other] = await Promise.all(order.map((who) => submit(who, {}, round % 3 === 0 ? 'key' : undefined)))
    const first = await node.take()
    assert.ok(first.runId === one?.id || first.runId === other?.id)
    const next = first.runId === one?.id ? other : one
    const waits = await lab.hub.runs.get(next?.id ?? '')
    assert.equal([waits?.state, waits?.position, node.assigned.length], ['queued', 1, 2 * round + 1], `round ${round}`)
    await node.documents(...documentsOf(first))
    const second = await node.take()
    assert.is(second.runId, next?.id, `round ${round}`)
    await node.documents(...documentsOf(second))
    await lab.final(second.runId)
  }
})

test('the same key again is the same run and takes no second place', async () => {
  await everyone({ mostOpen: 1 })
  const same = () => lab.hub.runs.submit(student, { lab: 'small', protocol: 'set' }, { idempotencyKey: 'same' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => code(same())))
  assert.ok(answers.includes('none'))
  assert.is((await lab.hub.runs.list({ limit: 200, person: student.personId })).items.length, 1)
  const again = await same()
  assert.is(again.replayed, true)
})

test('places and bench time are the same after the hub has started again', async () => {
  await everyone({ mostOpen: 2, dayS: 100 })
  await submit()
  await submit()
  await lab.restart()
  assert.is(await code(submit()), 'reservations-full')
  await everyone({ mostOpen: null, dayS: 30 })
  assert.is(await code(submit(student, { parameters: { pause: 29 } })), 'none')
  assert.is(await code(submit(student, { parameters: { pause: 29 } })), 'quota-used')
  await lab.restart()
  assert.is(await code(submit(student, { parameters: { pause: 29 } })), 'quota-used')
})

test('the priority that is asked for becomes the soonest that permissions give', async () => {
  const given = async (who: Caller, priority?: number) =>
    (await submit(who, priority === undefined ? {} : { priority })).run.priority
  await everyone({ priority: 20 })
  assert.equal([await given(student), await given(student, 1), await given(student, 40)], [20, 20, 40])
  await change('POST', '', { subject: { kind: 'role', id: 'student' }, lab: 'small', gives: { priority: 3 } })
  assert.equal([await given(student), await given(student, 1), await given(student, 40)], [3, 3, 40])
  assert.equal([await given(admin), await given(admin, 1)], [5, 1])
  assert.equal(await given({ ...student, role: 'instructor' }, 1), 1)
})

test('bench time that was used counts, from the database too', async () => {
  await everyone({ dayS: 60 })
  const now = clock.now()
  const { openStore } = await import('@fernlab/hub/store/store')
  const { silentLog } = await import('@fernlab/shared/primitives/log')
  const run = (await submit(student, { protocol: 'nothing' })).run
  await lab.hub.runs.cancel(run.id, student)
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  const [row] = await store.db.selectFrom('run').selectAll().where('id', '=', run.id).execute()
  assert.ok(row)
  const id = newId(now)
  const attempt = { run_id: id, attempt: 1, node: 'n', bench: 'n.b', fence: 1, next_seq: 3, state: 'succeeded' }
  await store.write([
    store.db.insertInto('run').values({
      ...row,
      id,
      state: 'succeeded',
      started_at: now - 50_000,
      ended_at: now,
      idempotency_key: null,
    }),
    store.db.insertInto('attempt').values({ ...attempt, assigned_at: now - 59_000, ended_at: now }),
  ])
  await store.close()
  await lab.restart()
  assert.is(await code(submit(student, { parameters: { pause: 5 } })), 'none')
  assert.is(await code(submit(student, { parameters: { pause: 9 } })), 'quota-used')
  await everyone({ countsSetup: true })
  assert.is(await code(submit(student, { parameters: { pause: 0 } })), 'quota-used')
})

test.run()
