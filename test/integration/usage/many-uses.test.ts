/** Views of a hub that has a long past: each is asked for as the page does. */
import { createGroups } from '@fernlab/hub/groups/groups'
import { createUsage } from '@fernlab/hub/usage/usage'
import { usesQuery } from '@fernlab/hub/usage/uses'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { temporaryStore } from '../results/stored-run.ts'

const test = suite('usage of years', { timeoutMs: 120_000, hookTimeoutMs: 120_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>

const uses = 100_000
const people = 2000
const course = 200
const year = 365 * 86_400_000
const begin = Date.parse('2026-01-01T00:00:00Z')
const clock = new ManualClock(begin + year + 3_600_000)
const admin = {
  personId: 'boss',
  name: 'Boss',
  email: 'b@x.example',
  role: 'admin',
  scopes: 'all',
  via: 'session',
} as const

test.before(async () => {
  opened = await temporaryStore()
  const { database } = opened.store
  const at = (n: number) => begin + Math.floor((n * year) / uses)
  const rows = (from: number) =>
    Array.from({ length: 5000 }, (_, i) => {
      const n = from + i
      return {
        id: newId(at(n)),
        person: `p${(n * 7919) % people}`,
        at: at(n),
        lab: `lab-${n % 8}`,
        bench: `n.b${n % 30}`,
      }
    })
  await database.write([
    {
      sql: `INSERT INTO people_group VALUES ('optics', 'Optics', 'course', NULL, NULL, NULL, 0)`,
    },
    {
      sql: `INSERT INTO user SELECT 'p' || value, 'Person ' || value, 'p' || value || '@x.example', 1, NULL, '', ''
        FROM json_each(?)`,
      params: [JSON.stringify(Array.from({ length: people }, (_, n) => n))],
    },
    {
      sql: `INSERT INTO group_member SELECT 'optics', 'p' || value, 'member', 0 FROM json_each(?)`,
      params: [JSON.stringify(Array.from({ length: course }, (_, n) => n))],
    },
  ])
  for (let n = 0; n < uses; n += 5000) {
    const params = [JSON.stringify(rows(n))]
    await database.write([
      {
        sql: `INSERT INTO run (id, person_id, lab, lab_version, protocol, protocol_digest, restart, parameters, priority, state,
            attempt, bench, created_at, assigned_at, started_at, ended_at)
          SELECT value ->> 'id', value ->> 'person', value ->> 'lab', 1, 'p', 'd', 'never', '{"voltage":' || (value ->> 'at') % 97 || '}',
            5, 'succeeded', 1, value ->> 'bench', value ->> 'at', value ->> 'at', (value ->> 'at') + 60000, (value ->> 'at') + 360000
          FROM json_each(?)`,
        params,
      },
      {
        sql: `INSERT INTO attempt (run_id, attempt, node, bench, fence, state, assigned_at, ended_at)
          SELECT value ->> 'id', 1, 'n', value ->> 'bench', 1, 'succeeded', value ->> 'at', (value ->> 'at') + 360000
          FROM json_each(?)`,
        params,
      },
    ])
  }
})
test.after(() => opened.close())

test('100,000 uses are looked through within seconds, a month of them much sooner, a page at once', async () => {
  const { store } = opened
  const groups = createGroups({ store, clock })
  const usage = createUsage({
    store,
    groups,
    catalogue: { version: async () => undefined },
    countrySource: () => ({}),
    benches: () => [],
    benchesFor: () => [],
    clock,
    log: silentLog,
  })
  const took: Record<string, number> = {}
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const found = await work()
    took[what] = Math.round(performance.now() - start)
    return found
  }
  const whole = { from: begin, to: begin + year + 3_600_000, timeZone: 'Europe/Madrid' }
  const month = { ...whole, from: whole.to - 30 * 86_400_000 }
  const site = await timed('site, a year', () => usage.site(whole))
  assert.equal([site.uses, site.people, site.seconds], [uses, people, uses * 360])
  assert.equal(site.labs[0]?.wait, { uses: uses / 8, medianS: 60, p95S: 60 })
  const found = await timed('course, a year', () => usage.course(admin, 'optics', whole))
  assert.is(
    found.people.reduce((sum, { uses: count }) => sum + count, 0),
    uses / 10,
  )
  await timed('site, a month', () => usage.site(month))
  await timed('course, a month', () => usage.course(admin, 'optics', month))
  await timed('similar, a month', () => usage.similar(admin, 'optics', month, 24))
  await timed('timeline, a week', () => usage.timeline(admin, 'optics', { ...month, from: month.to - 7 * 86_400_000 }))
  const page = await timed('page of all', () => usage.list(admin, {}, { limit: 50 }))
  assert.is(page.items.length, 50)
  await timed('page of a course', () => usage.list(admin, { course: 'optics' }, { limit: 50 }))
  await timed('page of a person', () => usage.list(admin, { person: 'p7' }, { limit: 50 }))
  // A few hundred ms for a year on a quiet machine; this one may be busy.
  for (const [what, ms] of Object.entries(took)) assert.ok(ms < 20_000, JSON.stringify({ what, ...took }))
  if (process.env.FERNLAB_SHOW_TIMES === '1') console.log(took)
})

test('a page reads no more than it shows: everybody’s by id, a person’s by person', async () => {
  const { store } = opened
  const plan = async (query: ReturnType<typeof usesQuery>) => {
    const { sql, parameters } = query.orderBy('run.id', 'desc').limit(51).compile()
    const rows = await store.database.read(`EXPLAIN QUERY PLAN ${sql}`, [...parameters] as never)
    return rows.map(({ detail }) => String(detail)).join('\n')
  }
  const all = await plan(usesQuery(store, { filter: { from: '2026-06-01T00:00:00Z' }, people: undefined }))
  assert.match(all, /SEARCH run USING INDEX sqlite_autoindex_run_1 \(id>\?\)/)
  assert.not.match(all, /TEMP B-TREE/)
  const one = await plan(usesQuery(store, { filter: { person: 'p7' }, people: undefined }))
  assert.match(one, /SEARCH run USING INDEX run_of_person \(person_id=\?/)
  assert.not.match(one, /TEMP B-TREE/)
  assert.match(one, /SEARCH run_download USING (COVERING )?INDEX run_download_of_run/)
})

test.run()
