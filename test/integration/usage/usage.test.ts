import { request } from 'node:http'
import type { Problem } from '@fernlab/shared/contracts/api'
import type { DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import {
  type CourseUsage,
  type Similar,
  type SiteUsage,
  similarSchema,
  type Timeline,
  timelineSchema,
  type Use,
  type UseDetail,
} from '@fernlab/shared/contracts/usage'
import { newId } from '@fernlab/shared/primitives/ids'
import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { storeDocuments } from '../results/stored-run.ts'
import { minute, storeDirectUse, storeUse } from './stored-use.ts'

const test = suite('usage', { timeoutMs: 60_000 })
type Person = Awaited<ReturnType<ServedHub['person']>>
let hub: ServedHub
let boss: Person
let teacher: Person
let other: Person
let ana: Person
let bo: Person

const begin = Date.parse('2026-03-02T09:00:00.000Z')
const period = 'from=2026-03-01T00:00:00Z&to=2026-03-08T00:00:00Z&timeZone=Europe/Madrid'

test.before(async () => {
  hub = await serveHub({ benches: ['n.a', 'n.b'] })
  boss = await hub.person('admin', ['admin'])
  teacher = await hub.person('instructor', ['read'])
  other = await hub.person('instructor', ['read'])
  ana = await hub.person('student', ['read', 'run'])
  bo = await hub.person('student', ['read'])
  const cy = await hub.person('student', ['read'])
  const { db } = hub.store
  const times = { starts_at: null, ends_at: null, created_at: 0 }
  await hub.store.write([
    db.insertInto('people_group').values([
      { id: 'optics', name: 'Optics', kind: 'course', within: null, ...times },
      { id: 'monday', name: 'Monday', kind: 'group', within: 'optics', ...times },
      { id: 'foreign', name: 'Foreign', kind: 'course', within: null, ...times },
    ]),
    db.insertInto('group_member').values([
      { group_id: 'optics', person_id: teacher.person.id, role: 'instructor', added_at: 0 },
      { group_id: 'optics', person_id: ana.person.id, role: 'member', added_at: 0 },
      { group_id: 'monday', person_id: bo.person.id, role: 'member', added_at: 0 },
      { group_id: 'foreign', person_id: other.person.id, role: 'instructor', added_at: 0 },
      { group_id: 'foreign', person_id: cy.person.id, role: 'member', added_at: 0 },
    ]),
  ])
  await storeUse(hub.store, {
    person: ana.person.id,
    at: begin,
    address: '192.0.2.7',
    country: 'ES',
    parameters: { voltage: 3.3 },
  })
  await storeUse(hub.store, { person: ana.person.id, at: begin + 60 * minute, waits: 5 * minute, lasts: 20 * minute })
  await storeUse(hub.store, {
    person: cy.person.id,
    at: begin + 10 * minute,
    bench: 'n.b',
    parameters: { voltage: 3.3 },
  })
})
test.after(() => hub.close())

async function get<T = Problem>(who: Person, path: string) {
  const response = await hub.json('GET', path, undefined, who.bearer)
  const text = await response.text()
  return { status: response.status, type: response.headers.get('content-type') ?? '', text, body: safely<T>(text) }
}
const safely = <T>(text: string): T => (text.startsWith('{') ? JSON.parse(text) : undefined) as T
const uses = async (who: Person, query = '') =>
  (await get<{ items: Use[]; cursor?: string }>(who, `/api/v1/usage/uses?${query}`)).body

test('admins see every use and its address, instructors those of whom they teach without it, others their own', async () => {
  const whose = async (who: Person, query = '') => (await uses(who, query)).items.map(({ person }) => person.id)
  assert.is((await whose(boss)).length, 3)
  assert.equal(await whose(teacher), [ana.person.id, ana.person.id])
  assert.equal(await whose(ana), [ana.person.id, ana.person.id])
  assert.equal(await whose(bo), [])
  for (const who of [boss, teacher, ana, bo]) {
    assert.equal((await get(who, '/api/v1/usage?limit=2')).body, (await get(who, '/api/v1/usage/uses?limit=2')).body)
  }
  const [, first] = (await uses(boss, `person=${ana.person.id}`)).items
  assert.equal(
    [first?.address, first?.country, first?.waitS, first?.lastsS, first?.state, first?.downloads],
    ['192.0.2.7', 'ES', 0, 600, 'succeeded', 0],
  )
  assert.is((await uses(ana)).items[1]?.address, '192.0.2.7')
  const seen = (await uses(teacher)).items[1]
  assert.equal([seen?.address, seen?.country], [undefined, 'ES'])
})

test('uses are filtered, paged, and refused for a course that is another’s', async () => {
  const count = async (query: string) => (await uses(boss, query)).items.length
  assert.is(await count('bench=n.b'), 1)
  const { email } = await hub.store.db
    .selectFrom('user')
    .select('email')
    .where('id', '=', ana.person.id)
    .executeTakeFirstOrThrow()
  assert.equal([await count(`person=${email.toUpperCase()}`), await count('person=nobody@x.example')], [2, 0])
  assert.is(await count('country=unknown'), 2)
  assert.is(await count('state=failed'), 0)
  assert.is(await count(`from=${new Date(begin + 5 * minute).toISOString()}`), 2)
  assert.is(await count(`to=${new Date(begin + 5 * minute).toISOString()}`), 1)
  const page = await uses(boss, 'limit=2')
  const rest = await uses(boss, `limit=2&cursor=${page.cursor}`)
  assert.equal([page.items.length, rest.items.length, rest.cursor], [2, 1, undefined])
  for (const path of [
    'uses?course=foreign',
    'uses.csv?course=foreign',
    'uses?course=nowhere',
    'courses/foreign',
    'courses/foreign/people.csv',
    'courses/foreign/timeline',
    'courses/foreign/similar',
  ] as const) {
    const refused = await get(teacher, `/api/v1/usage/${path}`)
    assert.equal([refused.status, refused.body.code], [404, 'group-unknown'], path)
    assert.is((await get(ana, `/api/v1/usage/${path}`)).status, 404, path)
  }
  assert.is((await get(boss, '/api/v1/usage/courses/foreign')).status, 200)
  assert.is((await get(ana, '/api/v1/usage/courses/optics')).status, 404)
  assert.is((await get(teacher, '/api/v1/usage/site')).status, 403)
  for (const wrong of ['timeZone=Mars/Base', 'from=soon', 'from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z']) {
    const refused = await get(teacher, `/api/v1/usage/courses/optics?${wrong}`)
    assert.equal([refused.status, refused.body.issues?.[0]?.path.slice(0, 6)], [400, 'query.'], wrong)
  }
})

test('a course shows who did what, with those who did nothing, and the hours of its zone', async () => {
  const { body } = await get<CourseUsage>(teacher, `/api/v1/usage/courses/optics?${period}`)
  assert.is(body.course.name, 'Optics')
  const row = (id: string) => body.people.find(({ person }) => person.id === id)
  assert.equal([row(ana.person.id)?.uses, row(ana.person.id)?.seconds], [2, 1800])
  assert.equal([row(bo.person.id)?.uses, row(bo.person.id)?.labs], [0, []])
  assert.is(body.people.length, 2)
  // 9:00 UTC of that Monday is 10:00 in Madrid.
  assert.equal(body.hours[0]?.slice(9, 13), [0, 600, 1200, 0])
  const csv = await get(teacher, `/api/v1/usage/courses/optics/people.csv?${period}`)
  assert.match(csv.type, 'text/csv')
  assert.match(csv.text, /,"rc-circuit",2,1800,/)
  assert.match(csv.text, `"${bo.person.id}","student","",0,0,"","",0,"${bo.person.email}"\r\n`)
  assert.is(row(bo.person.id)?.email, bo.person.email)
  const hours = await get(teacher, `/api/v1/usage/courses/optics/hours.csv?${period}`)
  assert.match(hours.text, /^"mon",0,0,0,0,0,0,0,0,0,0,600,1200,/m)
})

test('the timeline holds the people of the course by bench', async () => {
  const { body } = await get<Timeline>(teacher, `/api/v1/usage/courses/optics/timeline?${period}`)
  assert.equal(
    body.benches.map(({ bench, uses: bars }) => [bench, bars.map(({ from, until }) => [from, until])]),
    [
      [
        'n.a',
        [
          ['2026-03-02T09:00:00.000Z', '2026-03-02T09:10:00.000Z'],
          ['2026-03-02T10:05:00.000Z', '2026-03-02T10:25:00.000Z'],
        ],
      ],
    ],
  )
  const long = 'from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z'
  assert.is((await get(teacher, `/api/v1/usage/courses/optics/timeline?${long}`)).body.issues?.[0]?.path, 'query.from')
})

test('the same choice of two of a course is a hint, of somebody else none', async () => {
  const similar = async () =>
    (await get<Similar>(teacher, `/api/v1/usage/courses/optics/similar?${period}&withinHours=1`)).body.hints
  assert.equal(await similar(), [])
  await storeUse(hub.store, {
    person: bo.person.id,
    at: begin + 2 * minute,
    bench: 'n.b',
    parameters: { voltage: 3.3 },
  })
  const [hint, ...more] = await similar()
  assert.equal(more, [])
  assert.equal(
    [hint?.chosen, hint?.apartS, hint?.uses.map(({ person }) => person.id)],
    [{ voltage: 3.3 }, 120, [ana.person.id, bo.person.id]],
  )
  const csv = await get(teacher, `/api/v1/usage/courses/optics/similar.csv?${period}`)
  assert.match(csv.text, /^1,"rc-circuit","charge-curve","\{""voltage"":3.3\}",120,/m)
})

test('the timeline and the hints of a course tell who it was without their mail addresses', async () => {
  for (const [what, schema] of [
    ['timeline', timelineSchema],
    ['similar', similarSchema],
  ] as const) {
    const { body, text } = await get<object>(teacher, `/api/v1/usage/courses/optics/${what}?${period}`)
    assert.equal(schema.parse(body), body, 'nothing that the schema has not')
    assert.match(text, ana.person.id)
  }
})

test('the site: shares, waiting, countries and each as a table', async () => {
  const { body } = await get<SiteUsage>(boss, `/api/v1/usage/site?${period}`)
  assert.equal([body.uses, body.people, body.seconds], [4, 3, 3000])
  assert.equal(
    body.benches.map(({ bench, uses: count, seconds, openS }) => [bench, count, seconds, openS]),
    [
      ['n.a', 2, 1800, 7 * 86_400],
      ['n.b', 2, 1200, 7 * 86_400],
    ],
  )
  assert.equal(body.labs[0]?.wait, { uses: 4, medianS: 0, p95S: 300 })
  assert.equal(body.waits[11], { hour: 11, uses: 1, medianS: 300, p95S: 300 })
  for (const [table, line] of Object.entries({
    benches: /^"n.a",2,1800,604800,/m,
    labs: /^"rc-circuit",4,3,3000,1209600,.*,0,300\r/m,
    waits: /^11,1,300,300\r/m,
    countries: /^"ES",1,1\r/m,
    hours: /^"mon",0,/m,
  })) {
    assert.match((await get(boss, `/api/v1/usage/site/${table}.csv?${period}`)).text, line, table)
  }
})

test('the table of uses has them all, and nothing that a spreadsheet would compute', async () => {
  await hub.store.write([hub.store.db.updateTable('user').set({ name: '=1+1' }).where('id', '=', bo.person.id)])
  const { text } = await get(boss, '/api/v1/usage/uses.csv')
  assert.is(text.trimEnd().split('\r\n').length, 5)
  assert.match(text, `"${bo.person.id}","'=1+1","rc-circuit"`)
  assert.match(text, '"192.0.2.7","ES"')
  assert.not.match((await get(teacher, '/api/v1/usage/uses.csv?course=optics')).text, '192.0.2.7')
  await hub.store.write([hub.store.db.updateTable('user').set({ name: 'student' }).where('id', '=', bo.person.id)])
})

test('a use tells what was commanded and who took its results, to who may see it', async () => {
  const { id } = await storeUse(hub.store, {
    person: ana.person.id,
    at: begin + 120 * minute,
    protocol: SESSION_PROTOCOL,
    rows: { [COMMANDS_STREAM]: 4 },
    outputs: { tau: { value: 1.5, unit: 's', uncertainty: 0.1 } },
  })
  const text = { dtype: 'string' as const, shape: [], unit: '1', source: 'variable' }
  const names = ['by', 'what', 'target', 'value', 'outcome']
  const rows = [
    ['', 'begin', '', 'null', 'done'],
    [ana.person.id, 'set', 'supply.voltage', '5', 'done'],
    [bo.person.id, 'set', 'supply.voltage', '50', 'too much'],
    ['', 'end', '', '"time"', 'done'],
  ]
  const key = (seq: number) => ({ runId: id, attempt: 1, seq })
  await storeDocuments(hub.store, [
    {
      ...key(0),
      name: 'descriptor',
      doc: {
        time: 0,
        stream: COMMANDS_STREAM,
        dataKeys: Object.fromEntries(names.map((name) => [name, text])),
        configuration: {},
      },
    },
    {
      ...key(1),
      name: 'event_page',
      doc: {
        stream: COMMANDS_STREAM,
        first: 0,
        count: rows.length,
        time: Float64Array.from(rows, (_, n) => begin / 1000 + n),
        columns: Object.fromEntries(names.map((name, column) => [name, rows.map((row) => row[column] ?? '')])),
      },
    },
  ])
  const taken = await hub.json('GET', `/api/v1/runs/${id}/data.csv?stream=${COMMANDS_STREAM}`, undefined, ana.bearer)
  assert.is(taken.status, 200)
  await taken.text()
  const looked = { ...ana.bearer, 'sec-fetch-dest': 'empty' }
  await (await hub.json('GET', `/api/v1/runs/${id}/data.json?points=100`, undefined, ana.bearer)).text()
  await (await hub.json('GET', `/api/v1/runs/${id}/documents`, undefined, looked)).text()
  await hub.json('HEAD', `/api/v1/runs/${id}/documents`, undefined, ana.bearer)
  // As Chromium asks for what a link with `download` leads to; `fetch` says how it asks by itself.
  const saved = { ...ana.bearer, 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'navigate' }
  await new Promise((resolve, reject) => {
    const asked = request(`${hub.url}/api/v1/runs/${id}/documents`, { headers: saved }, (answer) => {
      answer.resume().on('end', resolve)
    })
    asked.on('error', reject).end()
  })
  const { body } = await get<UseDetail>(teacher, `/api/v1/usage/uses/${id}`)
  assert.equal([body.session, body.commands, body.downloads], [true, 2, 2])
  assert.equal(
    body.given.map(({ at, by, what, target, value, outcome }) => [at, by.id, what, target, value, outcome]),
    [
      ['2026-03-02T09:00:01.000Z', ana.person.id, 'set', 'supply.voltage', '5', 'done'],
      ['2026-03-02T09:00:02.000Z', bo.person.id, 'set', 'supply.voltage', '50', 'too much'],
    ],
  )
  assert.equal(
    body.taken.map(({ by, what }) => [by.id, what]),
    [
      [ana.person.id, 'data.csv'],
      [ana.person.id, 'documents'],
    ],
  )
  assert.equal(
    [body.outputs, body.rows],
    [{ tau: { value: 1.5, unit: 's', uncertainty: 0.1 } }, { [COMMANDS_STREAM]: 4 }],
  )
  const commands = await get(teacher, `/api/v1/usage/uses/${id}/commands.csv`)
  assert.equal(commands.text.split('\r\n').slice(0, 3), [
    '"at","person","name","what","target","value","outcome"',
    `"2026-03-02T09:00:01.000Z","${ana.person.id}","student","set","supply.voltage","5","done"`,
    `"2026-03-02T09:00:02.000Z","${bo.person.id}","student","set","supply.voltage","50","too much"`,
  ])
  const files = await get(ana, `/api/v1/usage/uses/${id}/files.csv`)
  assert.match(
    files.text,
    /^"at","person","name","file"\r\n"[^"]+","[^"]+","student","data.csv"\r\n"[^"]+","[^"]+","student","documents"\r\n$/,
  )
  assert.is((await get(boss, `/api/v1/usage/uses/${id}`)).status, 200)
  for (const who of [other, bo]) {
    const refused = await get(who, `/api/v1/usage/uses/${id}`)
    const none = await get(who, `/api/v1/usage/uses/${newId(0)}`)
    const tables = await Promise.all(
      ['commands', 'files'].map(async (table) => (await get(who, `/api/v1/usage/uses/${id}/${table}.csv`)).status),
    )
    assert.equal([refused.status, none.status, ...tables], [404, 404, 404, 404])
  }
})

test('direct use is seen by admins and whose it is; on the timeline of a course without the name of others', async () => {
  const { id } = await storeDirectUse(hub.store, {
    person: other.person.id,
    at: begin + 30 * minute,
    address: '192.0.2.9',
    country: 'SE',
    exchanges: [{ set: { 'psu.voltage': 5 } }, { set: { 'psu.voltage': 50 }, error: 'too much' }],
  })
  const listed = async (who: Person, query = '') =>
    (await get<{ items: DirectUse[] }>(who, `/api/v1/usage/direct?${query}`)).body.items
  assert.equal(
    (await listed(boss)).map(({ person, bench, lastsS, ended, exchanges, address, country }) => [
      ...[person.id, bench, lastsS, ended, exchanges, address, country],
    ]),
    [[other.person.id, 'n.a', 600, 'released', 2, '192.0.2.9', 'SE']],
  )
  assert.equal([(await listed(other)).length, (await listed(teacher)).length, (await listed(ana)).length], [1, 0, 0])
  for (const [query, count] of [
    ['bench=n.a', 1],
    ['bench=n.b', 0],
    [`person=${other.person.id}`, 1],
    ['country=SE', 1],
    ['country=unknown', 0],
    [`from=${new Date(begin + 31 * minute).toISOString()}`, 0],
    [`to=${new Date(begin + 31 * minute).toISOString()}`, 1],
  ] as const) {
    assert.is((await listed(boss, query)).length, count, query)
  }
  const { body } = await get<DirectUseDetail>(boss, `/api/v1/usage/direct/${id}`)
  assert.equal(
    body.given.map(({ set, error }) => [set, error]),
    [
      [{ 'psu.voltage': 5 }, undefined],
      [{ 'psu.voltage': 50 }, 'too much'],
    ],
  )
  const timeline = async (who: Person) =>
    (await get<Timeline>(who, `/api/v1/usage/courses/optics/timeline?${period}`)).body.benches.find(
      ({ bench }) => bench === 'n.a',
    )?.direct
  assert.equal(await timeline(teacher), [{ id, from: '2026-03-02T09:30:00.000Z', until: '2026-03-02T09:40:00.000Z' }])
  assert.is((await timeline(boss))?.[0]?.person?.id, other.person.id)
  const csv = await get(teacher, `/api/v1/usage/courses/optics/timeline.csv?${period}`)
  assert.match(csv.text, /^"n\.a","[^"]+","","","","2026-03-02T09:30:00.000Z","2026-03-02T09:40:00.000Z","direct use"/m)
  const site = (await get<SiteUsage>(boss, `/api/v1/usage/site?${period}`)).body
  assert.equal(
    [site.seconds > 0, site.directS, site.benches[0]?.directS, site.benches[1]?.directS],
    [true, 600, 600, 0],
  )
  assert.match((await get(boss, `/api/v1/usage/site/benches.csv?${period}`)).text, /^"n\.a",.*,600\r/m)
})

test('where an exchange of a direct use came from is seen by admins and whose it is', async () => {
  const { id } = await storeDirectUse(hub.store, {
    ...{ person: ana.person.id, at: begin - 100 * 86_400_000 },
    exchanges: [{ set: { 'psu.voltage': 5 }, way: 'mqtt', address: '192.0.2.11' }],
  })
  for (const [who, address] of [
    [boss, '192.0.2.11'],
    [ana, '192.0.2.11'],
    [teacher, undefined],
  ] as const) {
    const { body } = await get<DirectUseDetail>(who, `/api/v1/usage/direct/${id}`)
    assert.equal([body.given[0]?.way, body.given[0]?.address], ['mqtt', address])
    const { text } = await get(who, `/api/v1/usage/direct/${id}/exchanges.csv`)
    assert.is(text.includes('192.0.2.11'), address !== undefined)
  }
})

test.run()
