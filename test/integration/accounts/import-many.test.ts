import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { ImportedPeople, ImportProgress, Problem } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { timesBusy } from '../../support/busy.ts'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { startMailServer } from './mail-server.ts'
import { cookieOf, secretIn } from './visitor.ts'

const test = suite('people: 50,000 lines are imported', { timeoutMs: 180_000 })
const closers: (() => Promise<void>)[] = []
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const MANY = 50_000
/** Nobody waits longer, where the machine has not more to do than it can. */
const longestMs = () => 200 * timesBusy()
const path = '/api/v1/users/import'

async function open(smtpUrl?: string) {
  const hub = await serveHub({ trustedProxies: ['loopback'], ...(smtpUrl === undefined ? {} : { smtpUrl }) })
  closers.push(() => hub.close())
  const cookie = cookieOf(await hub.json('POST', '/api/auth/sign-in/email', admin))
  return { hub, headers: { cookie, origin: hub.url, 'content-type': 'application/json' } }
}
type Opened = Awaited<ReturnType<typeof open>>

const send = ({ hub, headers }: Opened, body: object, signal?: AbortSignal) =>
  fetch(`${hub.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) })
/** The same from another thread: what the one who imports does with 10 MB is no work of the hub's. */
async function sendFromAfar({ hub, headers }: Opened, body: object) {
  const far = new Worker(
    `const { parentPort, workerData: { url, headers, body } } = require('node:worker_threads')
    fetch(url, { method: 'POST', headers, body })
      .then(async (answer) => parentPort.postMessage({ status: answer.status, text: await answer.text() }))`,
    { eval: true, workerData: { url: `${hub.url}${path}`, headers, body: JSON.stringify(body) } },
  )
  const [{ status, text }] = (await once(far, 'message')) as [{ status: number; text: string }]
  return { status, text }
}
const count = async ({ store }: ServedHub) =>
  (
    await store.db
      .selectFrom('user')
      .select(({ fn }) => fn.countAll<number>().as('all'))
      .executeTakeFirstOrThrow()
  ).all
const rows = async (hub: ServedHub) => {
  const { db } = hub.store
  const all = async (table: 'person' | 'one_time' | 'group_member' | 'audit') =>
    (
      await db
        .selectFrom(table)
        .select(({ fn }) => fn.countAll<number>().as('all'))
        .executeTakeFirstOrThrow()
    ).all
  return [await count(hub), await all('person'), await all('one_time'), await all('group_member'), await all('audit')]
}
const list = (most: number, line = (n: number) => `Person ${n},person${n}@students.school.example`) =>
  `name,email\n${Array.from({ length: most }, (_, n) => line(n)).join('\n')}\n`
const progress = async ({ hub, headers }: Opened) =>
  ((await (await fetch(`${hub.url}${path}`, { headers })).json()) as { items: ImportProgress[] }).items
/** Resolves when the caller's latest import has come so far. */
const until = async (opened: Opened, step: ImportProgress['step'], done = 0): Promise<ImportProgress> => {
  for (;;) {
    const [latest] = await progress(opened)
    if (latest?.step === step && latest.done >= done) return latest
  }
}

/** What another one notes meanwhile: the longest wait for `/healthz`, and for a read and a write of the database. */
function another({ hub, headers }: Opened) {
  const longest = { healthMs: 0, readMs: 0, writeMs: 0, turnMs: 0 }
  const ask = async (what: 'healthMs' | 'readMs' | 'writeMs', url: string, init: RequestInit) => {
    const askedAt = performance.now()
    const answer = await fetch(`${hub.url}${url}`, init)
    await answer.arrayBuffer()
    assert.ok(answer.ok, `${url}: ${answer.status}`)
    longest[what] = Math.max(longest[what], performance.now() - askedAt)
  }
  const turns = monitorEventLoopDelay({ resolution: 5 })
  turns.enable()
  let done = false
  const loops = [
    () => ask('healthMs', '/healthz', {}),
    () => ask('readMs', '/api/v1/users?limit=20', { headers }),
    () => ask('writeMs', '/api/v1/me', { method: 'PUT', headers, body: JSON.stringify({ name: 'The boss' }) }),
  ].map(async (once) => {
    while (!done) await once()
  })
  return async () => {
    done = true
    await Promise.all(loops)
    turns.disable()
    longest.turnMs = turns.max / 1e6
    return longest
  }
}

const faults: readonly ((n: number) => string)[] = [
  (n) => `Person ${n},person${n}`,
  (n) => `,person${n}@students.school.example`,
  (n) => `Person ${n},person${n}@students.school.example,king`,
  (n) => `Person\0 ${n},person${n}@students.school.example`,
  (n) => `${'x'.repeat(121)},person${n}@students.school.example`,
  () => 'Again,PERSON0@students.school.example',
  (n) => `Per, son ${n},person${n}@students.school.example,student,a`,
  (n) => `Person ${n},person${n}@students.school.example,,No Group!`,
]

test('of 50,000 lines 1,000 are wrong: each is told with its line and column, nothing is changed, nobody waits', async () => {
  const opened = await open()
  const before = await rows(opened.hub)
  const wrong = new Map<number, number>()
  const csv = list(MANY, (n) => {
    if (n % 50 !== 49) return `Person ${n},person${n}@students.school.example`
    const kind = wrong.size % faults.length
    wrong.set(n + 2, kind)
    return faults[kind]?.(n) ?? ''
  }).replace('name,email', 'name,email,role,groups')
  const end = another(opened)
  for (const preview of [true, false]) {
    const answer = await send(opened, { csv, preview })
    const { code, issues = [] } = (await answer.json()) as Problem
    assert.equal([answer.status, code], [422, 'import-invalid'])
    const told = new Set(issues.map((issue) => Number(/^csv\[(\d+)\]/.exec(issue.path)?.[1])))
    assert.equal(
      [...told].filter((line) => !wrong.has(line) && !Number.isNaN(line)),
      [],
    )
    // Some lines are wrong twice, and a thousand things are told.
    assert.ok(told.size > 800, String(told.size))
    const columns = new Set(issues.map((issue) => /^csv\[\d+\]\.?(.*)$/.exec(issue.path)?.[1] ?? issue.path))
    for (const column of ['name', 'email', 'role', 'groups', '']) assert.ok(columns.has(column), column)
  }
  const longest = await end()
  if (process.env.FERNLAB_SHOW_TIMES === '1') console.log('  1,000 of 50,000 wrong', longest)
  assert.ok(longest.healthMs < longestMs(), JSON.stringify(longest))
  const [users, persons, links, members] = await rows(opened.hub)
  assert.equal([users, persons, links, members], before.slice(0, 4))
})

test('50,000 are looked through and made; the preview changes nothing and shows some; nobody waits', async () => {
  const opened = await open()
  const { hub } = opened
  await hub.json('POST', '/api/v1/groups', { id: 'all', name: 'All', kind: 'group' }, opened.headers)
  const csv = list(MANY)
  const before = await rows(hub)
  const end = another(opened)
  const preview = await sendFromAfar(opened, { csv, preview: true, group: 'all' })
  const looked = JSON.parse(preview.text) as ImportedPeople
  assert.equal([looked.count, looked.fresh, looked.joining, looked.people.length], [MANY, MANY, 0, 500])
  const beforeMs = performance.now()
  assert.equal((await rows(hub)).slice(0, 4), before.slice(0, 4))
  const answer = await sendFromAfar(opened, { csv, group: 'all' })
  const tookMs = performance.now() - beforeMs
  const longest = await end()
  const made = JSON.parse(answer.text) as ImportedPeople
  if (process.env.FERNLAB_SHOW_TIMES === '1') console.log('  50,000 made', { ...longest, tookMs })
  assert.ok(longest.healthMs < longestMs(), JSON.stringify(longest))
  assert.ok(longest.readMs < 2 * longestMs(), JSON.stringify(longest))
  // All is one transaction: others' writes wait for its end.
  assert.ok(longest.writeMs < 10 * longestMs(), JSON.stringify(longest))
  assert.is(await count(hub), MANY + 1)
  assert.equal([made.fresh, made.people.length], [MANY, MANY])
  const token = secretIn(made.people.at(-1)?.link)
  assert.is((await hub.json('POST', '/api/v1/password/reset', { token, password: 'a-new-password' })).status, 204)
  const members = await hub.store.db
    .selectFrom('group_member')
    .select('person_id')
    .where('group_id', '=', 'all')
    .execute()
  assert.is(members.length, MANY)
  const again = (await (await send(opened, { csv, group: 'all' })).json()) as ImportedPeople
  assert.equal([again.fresh, again.joining, again.people.length], [0, MANY, 500])
})

test('two at once: the second waits for its turn and finds who is here', async () => {
  const opened = await open()
  const [one, other] = await Promise.all(
    [0, 500].map(async (from) => {
      const csv = list(2000, (n) => `P${n + from},p${n + from}@x.example`)
      return (await (await send(opened, { csv })).json()) as ImportedPeople
    }),
  )
  assert.equal([one?.fresh, other?.fresh].sort(), [2000, 500].sort())
  assert.is(await count(opened.hub), 2501)
})

test('whoever ends the call stops the import at any step, and nobody is made', async () => {
  const opened = await open()
  const csv = list(MANY)
  const before = await rows(opened.hub)
  for (const [step, done] of [
    ['reading', 0],
    ['checking', 1],
    ['writing', 1],
    ['writing', MANY / 2],
  ] as const) {
    const stop = new AbortController()
    const call = send(opened, { csv, ref: `at-${step}-${done}` }, stop.signal)
    const seen = await until(opened, step, done)
    assert.equal([seen.ref, seen.preview], [`at-${step}-${done}`, false])
    stop.abort()
    await call.then(
      () => assert.unreachable('it was answered'),
      (error: Error) => assert.is(error.name, 'AbortError'),
    )
    await until(opened, 'stopped')
    assert.equal(await rows(opened.hub), before, `${step} ${done}`)
  }
  assert.is(((await (await send(opened, { csv: list(10) })).json()) as ImportedPeople).fresh, 10)
})

test('who signs out, or is given another role, before all is written makes nobody', async () => {
  const opened = await open()
  const call = send(opened, { csv: list(MANY) })
  await until(opened, 'checking')
  const out = await fetch(`${opened.hub.url}/api/auth/sign-out`, {
    method: 'POST',
    headers: opened.headers,
    body: '{}',
  })
  assert.ok(out.ok)
  const answer = await call
  assert.equal([answer.status, ((await answer.json()) as Problem).code], [409, 'import-stopped'])
  assert.is(await count(opened.hub), 1)
})

test('letters that were due when the hub ended go out after its next start, one to each', async () => {
  const mail = await startMailServer()
  closers.push(mail.close)
  const opened = await open(mail.url)
  const made = (await (await send(opened, { csv: list(40, (n) => `P${n},p${n}@x.example`) })).json()) as ImportedPeople
  assert.equal([made.letters, made.people.length], [true, 40])
  await mail.letterTo('p0@x.example')
  await opened.hub.accounts.close()
  const due = await opened.hub.store.db.selectFrom('account_letter').select('person_id').execute()
  assert.is(due.length + mail.letters.length, 40)
  assert.ok(due.length > 0)
})

test.run()
