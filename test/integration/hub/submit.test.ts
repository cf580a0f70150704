import type { Caller } from '@fernlab/hub/accounts/caller'
import { openStore } from '@fernlab/hub/store/store'
import type { Use } from '@fernlab/shared/contracts/usage'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, student, type TestHub, until } from './hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from './scripted-node.ts'

const test = suite('submitting runs', { timeoutMs: 20_000 })
let lab: TestHub
let node: ScriptedNode

test.before(async () => {
  lab = await startTestHub()
  node = await startScriptedNode(lab, 'n')
})
test.after(async () => {
  await node.close()
  await lab.close()
})

/** Who did what to the run, as the audit log has it. */
async function audited(runId: string): Promise<(string | null)[][]> {
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  const rows = await store.db.selectFrom('audit').select(['person_id', 'action']).where('subject', '=', runId).execute()
  await store.close()
  return rows.map(({ person_id, action }) => [person_id, action])
}

async function refusal(body: object): Promise<LabError> {
  const before = (await lab.hub.runs.list({ limit: 100 })).items.length
  try {
    await lab.hub.runs.submit(admin, body as never)
  } catch (error) {
    assert.instance(error, LabError)
    assert.is((await lab.hub.runs.list({ limit: 100 })).items.length, before, 'nothing was kept')
    return error as LabError
  }
  assert.unreachable('was taken')
  throw new Error()
}

const small = { lab: 'small', protocol: 'set' }
const cases: [what: string, body: object, code: string, path: RegExp][] = [
  ['a lab that does not exist', { lab: 'none', protocol: 'x' }, 'lab-unknown', /^lab$/],
  ['a protocol that does not exist', { lab: 'small', protocol: 'none' }, 'protocol-unknown', /^protocol$/],
  [
    'a protocol by a name that every object has',
    { lab: 'small', protocol: 'constructor' },
    'protocol-unknown',
    /^protocol$/,
  ],
  [
    'a parameter out of its limits',
    { ...small, parameters: { value: 11 } },
    'parameters-invalid',
    /^parameters\.value$/,
  ],
  [
    'a parameter of another dimension',
    { ...small, parameters: { pause: { value: 1, unit: 'V' } } },
    'parameters-invalid',
    /pause/,
  ],
  ['a parameter that there is not', { ...small, parameters: { more: 1 } }, 'parameters-invalid', /more/],
  ['NaN', { ...small, parameters: { value: Number.NaN } }, 'parameters-invalid', /value/],
  ['a bench that there is not', { ...small, bench: 'n.none' }, 'bench-unknown', /^bench$/],
  ['a model', { ...small, model: 'm' }, 'model-not-supported', /^model$/],
]
for (const [what, body, code, path] of cases) {
  test(`${what} is refused with its path`, async () => {
    const error = await refusal(body)
    assert.is(error.code, code)
    assert.match(error.issues[0]?.path ?? '', path)
  })
}

test('staff get any priority, a student none sooner than the usual', async () => {
  const given = async (caller: Caller, priority?: number) => {
    const body = priority === undefined ? small : { ...small, priority }
    const { id, run } = await lab.hub.runs.submit(caller, body)
    await lab.hub.runs.cancel(id, caller)
    return run.priority
  }
  assert.equal([await given(admin, 1), await given(admin), await given(admin, 80)], [1, 5, 80])
  assert.equal([await given(student, 1), await given(student), await given(student, 80)], [5, 5, 80])
  const answer = await lab.call('/api/v1/runs', { method: 'POST', json: { ...small, priority: 0 } })
  assert.is(answer.status, 400)
  assert.match(await answer.text(), /priority/)
})

test('a lab whose parts no bench has says what is missing', async () => {
  const text = 'title: Other\nsummary: x\nparts:\n  laser:\n    signals:\n      power: { unit: mW, access: set }\n'
  const protocol = 'title: P\nversion: 1\nrestart: safe\nparameters: {}\nsteps:\n  - wait: 0\noutputs: {}\n'
  const files = [
    { path: 'lab.yaml', text },
    { path: 'README.md', text: '# Other' },
    { path: 'protocols/p.yaml', text: protocol },
  ]
  const pushed = await lab.call('/api/v1/labs/other', { method: 'PUT', json: { files } })
  assert.ok(pushed.ok, await pushed.text())
  const error = await refusal({ lab: 'other', protocol: 'p' })
  assert.is(error.code, 'no-bench')
  assert.match(JSON.stringify(error.issues), /has no part laser/)
  const known = (await (await lab.call('/api/v1/labs/other')).json()) as { notServedBy?: { reason: string }[] }
  assert.match(known.notServedBy?.[0]?.reason ?? '', /has no part laser/)
  const served = (await (await lab.call(`/api/v1/labs/${small.lab}`)).json()) as object
  assert.not.ok('notServedBy' in served)
})

test('the same key and body is the same run, also at the same moment; another body is refused', async () => {
  const first = await lab.hub.runs.submit(admin, small, { idempotencyKey: 'key' })
  const again = await lab.hub.runs.submit(admin, small, { idempotencyKey: 'key' })
  assert.equal([first.replayed, again.replayed, again.run.id], [false, true, first.run.id])
  const many = await Promise.all(
    Array.from({ length: 10 }, () => lab.hub.runs.submit(admin, small, { idempotencyKey: 'at once' })),
  )
  assert.is(new Set(many.map(({ run }) => run.id)).size, 1)
  assert.is(many.filter(({ replayed }) => !replayed).length, 1)
  const theirs = await lab.hub.runs.submit(student, small, { idempotencyKey: 'key' })
  assert.is.not(theirs.run.id, first.run.id, 'keys are per person')
  try {
    await lab.hub.runs.submit(admin, { ...small, note: 'x' }, { idempotencyKey: 'key' })
    assert.unreachable()
  } catch (error) {
    assert.is((error as LabError).code, 'idempotency-key-reused')
  }
  for (const { run } of [first, ...many, theirs]) await lab.hub.runs.cancel(run.id, admin)
  const assignment = await node.take()
  await node.documents(...documentsOf(assignment, { state: 'cancelled' }))
  await lab.final(assignment.runId)
})

test('those that wait know their place and why', async () => {
  const first = await lab.hub.runs.submit(admin, { ...small, parameters: { pause: 10 } })
  const assignment = await node.take()
  assert.is(assignment.runId, first.run.id)
  const second = await lab.hub.runs.submit(admin, { ...small, parameters: { pause: 10 } })
  const third = await lab.hub.runs.submit(admin, small)
  assert.is(second.run.position, 1)
  const waiting = await lab.hub.runs.get(third.run.id)
  assert.is(waiting?.position, 2)
  assert.match(waiting?.waitReason ?? '', /one run before you, about/)
  assert.ok(Date.parse(waiting?.estimatedStart ?? '') > Date.now() + 15_000)
  assert.is(lab.hub.runs.queues()('small').length, 2)
  await lab.hub.runs.cancel(second.run.id, admin)
  await lab.hub.runs.cancel(third.run.id, admin)
  await node.documents(...documentsOf(assignment))
  await lab.final(first.run.id)
})

test('lists newest first, page by page, by person, lab and state', async () => {
  const mine: string[] = []
  for (let i = 0; i < 5; i++) mine.push((await lab.hub.runs.submit(student, small)).run.id)
  const one = await lab.hub.runs.list({ person: 'student', limit: 3 })
  assert.equal(
    one.items.map(({ id }) => id),
    mine.slice(2).reverse(),
  )
  const two = await lab.hub.runs.list({
    person: 'student',
    limit: 3,
    ...(one.cursor === undefined ? {} : { cursor: one.cursor }),
  })
  assert.equal(
    two.items.slice(0, 2).map(({ id }) => id),
    mine.slice(0, 2).reverse(),
  )
  assert.is((await lab.hub.runs.list({ person: 'student', state: 'queued', limit: 10 })).items.length, 4)
  for (const id of mine) await lab.hub.runs.cancel(id, student)
  const assignment = await node.take()
  await node.documents(...documentsOf(assignment, { state: 'cancelled' }))
  await lab.final(assignment.runId)
})

test('whose run the staff cancels is told that, and the audit log who it was', async () => {
  const { run } = await lab.hub.runs.submit(student, small)
  const waiting = await lab.hub.runs.submit(student, small)
  const own = await lab.hub.runs.submit(student, small)
  const assignment = await node.take()
  assert.is((await lab.hub.runs.cancel(waiting.run.id, admin)).reason, 'cancelled by the staff')
  assert.is((await lab.hub.runs.cancel(own.run.id, student)).reason, 'cancelled on request')
  assert.is((await lab.hub.runs.cancel(run.id, admin)).reason, 'cancelled by the staff')
  await lab.hub.runs.cancel(run.id, admin)
  assert.equal(
    [await audited(waiting.run.id), await audited(run.id), await audited(own.run.id)],
    [[[admin.personId, 'run.cancelled']], [[admin.personId, 'run.cancelled']], []],
  )
  await node.documents(...documentsOf(assignment, { state: 'cancelled' }))
  await lab.final(assignment.runId)
})

test('where somebody asks from is kept with the run, as far as trusted proxies say', async () => {
  const ask = (forwarded: string) =>
    lab.call('/api/v1/runs', { method: 'POST', json: small, headers: { 'x-forwarded-for': forwarded } })
  const { id } = (await (await ask('192.0.2.7')).json()) as { id: string }
  const { items } = (await (await lab.call('/api/v1/usage/uses?limit=1')).json()) as { items: Use[] }
  assert.equal([items[0]?.id, items[0]?.address, items[0]?.state], [id, '127.0.0.1', 'assigned'])
  let assignment = await node.take()
  while (assignment.runId !== id) assignment = await node.take()
  await node.documents(...documentsOf(assignment))
  await lab.final(id)
})

test('the run of a node that is gone for good can be given up, and its bench serves on', async () => {
  const { run } = await lab.hub.runs.submit(admin, small)
  const assignment = await node.take()
  const givenUp = await lab.hub.runs.giveUp(run.id, admin)
  assert.equal([givenUp.state, givenUp.reason], ['interrupted', 'given up by the staff'])
  assert.equal(await audited(run.id), [[admin.personId, 'run.given-up']])
  const from = lab.log.lines.length
  await node.documents(...documentsOf(assignment))
  await until(() => lab.log.lines.length > from, 'the stale documents')
  assert.is((await lab.hub.runs.get(run.id))?.state, 'interrupted')
  const next = await lab.hub.runs.submit(admin, small)
  const fresh = await node.take()
  assert.is(fresh.runId, next.run.id)
  assert.ok(fresh.fence > assignment.fence)
  await node.documents(...documentsOf(fresh))
  assert.is((await lab.final(next.run.id)).state, 'succeeded')
})

test.run()
