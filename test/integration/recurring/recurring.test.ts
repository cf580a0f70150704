/** Recurring runs on a real hub with a node that is away, so that its runs stay open, and a clock that jumps. */
import type { Run } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { CreateRecurring, Recurring } from '@fernlab/shared/contracts/recurring'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type MailServer, startMailServer } from '../accounts/mail-server.ts'
import { startTestHub, type TestHub } from '../hub/hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from '../hub/scripted-node.ts'
import { newPerson, type TestPerson } from '../hub/session-people.ts'

const test = suite('recurring runs', { timeoutMs: 60_000 })
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** Noon of a day to come; the night after it is due at half past two. */
const noon = Math.ceil(systemClock.now() / dayMs) * dayMs + 12 * hourMs
const night = (number: number) => noon + (number - 1) * dayMs + 14.5 * hourMs
let aheadMs = noon - systemClock.now()
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
const setClock = (ms: number) => {
  aheadMs = ms - systemClock.now()
}
const iso = (ms: number) => new Date(ms).toISOString()
let lab: TestHub
let mail: MailServer
let node: ScriptedNode
let ada: TestPerson

test.before(async () => {
  mail = await startMailServer()
  lab = await startTestHub({
    clock,
    env: { FERNLAB_SMTP_URL: mail.url, FERNLAB_ADMIN_PASSWORD: 'a-long-enough-password' },
  })
  node = await startScriptedNode(lab, 'n')
})
test.after(async () => {
  await node.close()
  await lab.close()
  await mail.close()
})
const lettersTo = (email: string) => mail.letters.filter((letter) => letter.includes(`To: ${email}\r\n`))
const madeBefore: string[] = []
test.before.each(async () => {
  for (const id of madeBefore.splice(0)) await lab.call(`/api/v1/recurring/${id}`, { method: 'DELETE' })
  setClock(noon)
  await everyone({ gives: { mayQueue: true, mostOpen: 20 } })
  ada = await newPerson(lab)
})

const nightly: CreateRecurring = {
  name: 'Nightly calibration',
  lab: 'small',
  protocol: 'set',
  parameters: { value: 2 },
  cron: '30 2 * * *',
  timeZone: 'UTC',
}
async function make(who: TestPerson, more: Partial<CreateRecurring> = {}): Promise<Recurring> {
  const { status, body } = await who.ask('POST', '/api/v1/recurring', { ...nightly, ...more })
  assert.is(status, 201, JSON.stringify(body))
  madeBefore.push((body as Recurring).id)
  return body as Recurring
}
const seen = async ({ id }: Recurring, who = ada): Promise<Recurring> =>
  (await who.ask('GET', `/api/v1/recurring/${id}`)).body as Recurring
const runsOf = async ({ id }: Recurring, who = ada): Promise<Run[]> =>
  ((await who.ask('GET', `/api/v1/runs?recurring=${id}`)).body as { items: Run[] }).items
const outcomes = async (made: Recurring) => (await seen(made)).last.map(({ due, outcome }) => `${due} ${outcome}`)
const at = async (ms: number) => {
  setClock(ms)
  await lab.hub.recurring.tick()
}
const everyone = async (json: object) => {
  const answer = await lab.call('/api/v1/permissions/everyone', { method: 'PUT', json })
  assert.ok(answer.ok, await answer.text())
}

test('a run is made at each due time, carries what made it, and is listed from it', async () => {
  const made = await make(ada)
  assert.equal([made.state, made.next[0], made.next.length], ['active', iso(night(1)), 5])
  await at(night(1) - 1000)
  assert.equal(await runsOf(made), [])
  await at(night(1))
  await at(night(1) + 1000)
  const [run, ...more] = await runsOf(made)
  assert.is(more.length, 0)
  assert.equal([run?.recurring, run?.person.id, run?.note], [made.id, ada.id, nightly.name])
  assert.equal(run?.parameters, { value: 2, pause: 0 })
  const after = await seen(made)
  assert.is(after.next[0], iso(night(2)))
  // It may be given a bench between one reading and the next.
  const [{ run: linked, ...last } = { run: undefined }, ...earlier] = after.last
  assert.equal([last, earlier], [{ due: iso(night(1)), outcome: 'run' }, []])
  assert.is(linked?.id, run?.id)
  assert.ok(['queued', 'assigned'].includes(linked?.state ?? ''), linked?.state)
})

test('while the run before is not over the next is left out, or waits where that was asked for', async () => {
  const skipping = await make(ada)
  const queueing = await make(ada, { overlap: 'queue' })
  for (const number of [1, 2]) await at(night(number))
  assert.equal(await outcomes(skipping), [`${iso(night(2))} skipped`, `${iso(night(1))} run`])
  assert.equal(await outcomes(queueing), [`${iso(night(2))} run`, `${iso(night(1))} run`])
})

test('what passed while the hub was down gets one run, or none', async () => {
  const once = await make(ada, { parameters: { value: 1 } })
  const skip = await make(ada, { missed: 'skip' })
  await node.close()
  setClock(night(4) + hourMs)
  await lab.restart()
  node = await startScriptedNode(lab, 'n')
  await lab.hub.recurring.tick()
  const after = await seen(once)
  assert.equal(
    after.last.map(({ due, outcome, missedBefore }) => [due, outcome, missedBefore]),
    [[iso(night(4)), 'run', 3]],
  )
  assert.is((await runsOf(once)).length, 1)
  assert.equal(
    (await seen(skip)).last.map(({ due, outcome, missedBefore }) => [due, outcome, missedBefore]),
    [[iso(night(4)), 'missed', 3]],
  )
  assert.equal(await runsOf(skip), [])
  // A tick that comes a little late is no miss.
  await at(night(5) + minuteMs)
  assert.is((await seen(skip)).last[0]?.outcome, 'run')
})

test('a clock that goes two days ahead and back neither doubles a due time nor loses one', async () => {
  const made = await make(ada, { overlap: 'queue' })
  await at(noon + 2 * dayMs)
  assert.equal(await outcomes(made), [`${iso(night(2))} run`])
  await at(noon + 1000)
  assert.equal((await seen(made)).next[0], iso(night(1)))
  for (const number of [1, 2, 3]) await at(night(number))
  assert.equal(
    await outcomes(made),
    [3, 2, 1].map((number) => `${iso(night(number))} run`),
  )
  assert.is((await runsOf(made)).length, 3)
  await at(night(3) - 2 * dayMs)
  for (const number of [2, 3, 4]) await at(night(number))
  assert.is((await runsOf(made)).length, 4)
})

test('its owner must be allowed to queue each time; refused five times it is paused, and resumed goes on', async () => {
  const made = await make(ada)
  await everyone({ gives: { mayQueue: false } })
  for (const number of [1, 2, 3, 4]) await at(night(number))
  const refused = await seen(made)
  assert.equal(
    [refused.state, refused.last.length, refused.last[0]?.outcome, refused.last[0]?.error?.code],
    ['active', 4, 'refused', 'not-permitted'],
  )
  await at(night(5))
  const paused = await seen(made)
  assert.equal([paused.state, paused.pausedFor, paused.next], ['paused', 'refusals', []])
  await at(night(6))
  await everyone({ gives: { mayQueue: true } })
  await ada.ask('POST', `/api/v1/recurring/${made.id}/resume`)
  await at(night(7))
  assert.equal((await outcomes(made)).slice(0, 2), [`${iso(night(7))} run`, `${iso(night(5))} refused`])
  assert.is((await runsOf(made)).length, 1)
})

test('its owner gets one letter when it is paused by refusals, with why and the way back', async () => {
  const made = await make(ada)
  const { email } = (await ada.ask('GET', '/api/v1/me')).body as { email: string }
  await everyone({ gives: { mayQueue: false } })
  for (const number of [1, 2, 3, 4]) await at(night(number))
  assert.equal(lettersTo(email), [])
  await at(night(5))
  const letter = await mail.letterTo(email)
  assert.match(letter, /Nightly calibration/)
  assert.match(letter, /was refused 5 times in a row, and is paused/)
  assert.ok(letter.includes(`/recurring/${made.id}`), letter)
  await at(night(6))
  assert.is(lettersTo(email).length, 1)
})

test('when its owner has left it is paused, without a letter to who is gone, and nobody can resume it', async () => {
  const made = await make(ada)
  const { email } = (await ada.ask('GET', '/api/v1/me')).body as { email: string }
  const closed = await fetch(`${lab.hub.httpUrl}/api/v1/me/close`, {
    method: 'POST',
    headers: { ...ada.browser, 'content-type': 'application/json' },
    body: JSON.stringify({ password: 'a-long-enough-password' }),
  })
  assert.is(closed.status, 204, await closed.text())
  await at(night(1))
  const paused = (await (await lab.call(`/api/v1/recurring/${made.id}`)).json()) as Recurring
  assert.equal([paused.state, paused.pausedFor, paused.next, paused.last], ['paused', 'owner-left', [], []])
  assert.equal(lettersTo(email), [])
  const resumed = await lab.call(`/api/v1/recurring/${made.id}/resume`, { method: 'POST' })
  assert.equal([resumed.status, ((await resumed.json()) as { code: string }).code], [409, 'owner-left'])
})

test('a pause lasts until it is resumed; a run by hand leaves the due times as they are', async () => {
  const made = await make(ada)
  const path = `/api/v1/recurring/${made.id}`
  assert.is(((await ada.ask('POST', `${path}/pause`)).body as Recurring).pausedFor, 'asked')
  await at(night(1))
  assert.equal(await runsOf(made), [])
  const resumed = (await ada.ask('POST', `${path}/resume`)).body as Recurring
  assert.equal([resumed.state, resumed.next[0]], ['active', iso(night(2))])
  const { status, body } = await ada.ask('POST', `${path}/run`)
  assert.is(status, 201)
  const byHand = body as Recurring
  assert.equal([byHand.last[0]?.byHand, byHand.last[0]?.outcome, byHand.next[0]], [true, 'run', iso(night(2))])
  assert.is((await runsOf(made))[0]?.id, byHand.last[0]?.run?.id)
  await ada.ask('DELETE', path)
  assert.is((await ada.ask('GET', path)).status, 404)
  assert.is((await runsOf(made)).length, 1, 'its runs stay')
  const entries = (await (await lab.call(`/api/v1/audit?subject=${made.id}`)).json()) as { items: AuditEntry[] }
  assert.equal(
    entries.items.map(({ action }) => action),
    ['recurring.removed', 'recurring.run', 'recurring.resumed', 'recurring.paused', 'recurring.created'],
  )
})

test('a change takes effect for the next due time; an end that has come ends it', async () => {
  const made = await make(ada)
  const change = (json: object) => ada.ask('PUT', `/api/v1/recurring/${made.id}`, json)
  const changed = (await change({ cron: '0 15 * * *', parameters: { value: 3 }, until: iso(noon + dayMs) }))
    .body as Recurring
  assert.equal(changed.next, [iso(noon + 3 * hourMs)])
  const { items } = (await (await lab.call(`/api/v1/audit?subject=${made.id}&limit=1`)).json()) as {
    items: AuditEntry[]
  }
  assert.equal(
    [items[0]?.action, items[0]?.detail],
    [
      'recurring.changed',
      {
        was: { cron: '30 2 * * *', parameters: { value: 2 }, until: null },
        is: { cron: '0 15 * * *', parameters: { value: 3 }, until: iso(noon + dayMs) },
      },
    ],
  )
  await at(noon + 3 * hourMs)
  assert.is((await runsOf(made))[0]?.parameters.value, 3)
  assert.equal([(await seen(made)).state, (await seen(made)).next], ['over', []])
  await at(noon + 10 * dayMs)
  assert.is((await runsOf(made)).length, 1)
  assert.is(((await change({ until: null })).body as Recurring).state, 'active')
})

test('others do not see it; staff may pause and remove it, but not say what it does', async () => {
  const made = await make(ada)
  const ben = await newPerson(lab)
  const teacher = await newPerson(lab, 'instructor')
  const path = `/api/v1/recurring/${made.id}`
  for (const [method, where, json] of [
    ['GET', path],
    ['PUT', path, {}],
    ['DELETE', path],
    ['POST', `${path}/pause`],
    ['POST', `${path}/run`],
  ] as const) {
    assert.is((await ben.ask(method, where, json)).status, 404, `${method} ${where}`)
  }
  assert.equal(((await ben.ask('GET', '/api/v1/recurring')).body as { items: [] }).items, [])
  assert.is(((await teacher.ask('GET', '/api/v1/recurring?lab=small')).body as { items: [] }).items.length, 1)
  assert.is((await teacher.ask('PUT', path, { name: 'Mine' })).status, 403)
  assert.is((await teacher.ask('POST', `${path}/run`)).status, 403)
  assert.is((await teacher.ask('POST', `${path}/pause`)).status, 200)
  assert.is((await teacher.ask('DELETE', path)).status, 204)
})

test('what could never run is refused when it is made, with the part that is wrong', async () => {
  const refused = async (more: object) => {
    const { status, body } = await ada.ask('POST', '/api/v1/recurring', { ...nightly, ...more })
    const { code, issues = [] } = body as { code: string; issues?: { path: string }[] }
    return [status, code, issues[0]?.path]
  }
  assert.equal(await refused({ cron: 'nightly' }), [422, 'cron-invalid', 'cron'])
  assert.equal(await refused({ until: iso(noon - dayMs) }), [422, 'recurring-invalid', 'until'])
  assert.equal(await refused({ from: iso(noon + dayMs), until: iso(noon) }), [422, 'recurring-invalid', 'until'])
  assert.equal(await refused({ timeZone: 'Europe/Nowhere' }), [400, 'request-invalid', 'timeZone'])
  assert.equal((await refused({ parameters: { value: 11 } })).slice(0, 2), [422, 'parameters-invalid'])
  assert.equal((await refused({ protocol: 'none' })).slice(0, 2), [404, 'protocol-unknown'])
  await everyone({ gives: { mayQueue: false } })
  assert.equal((await refused({})).slice(0, 2), [403, 'not-permitted'])
})

test('the next five times of an expression are told before anything is made', async () => {
  const { body } = await ada.ask('GET', '/api/v1/recurring-times?cron=0+3+*+*+MON&timeZone=Europe/Madrid')
  const { next, timeZone } = body as { next: string[]; timeZone: string }
  assert.equal([timeZone, next.length], ['Europe/Madrid', 5])
  for (const time of next) assert.is(new Date(time).getUTCDay(), 1)
})

test.run()
