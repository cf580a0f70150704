/**
 * Who may call what: every route of openapi.json, as every kind of caller, on what is theirs and what is not, compared
 * with docs/access.md. After a look at what has changed, `FERNLAB_WRITE_ACCESS=1` writes the table anew.
 */
import { roles } from '@fernlab/shared/contracts/people'
import * as assert from 'uvu/assert'
import { compareTable } from '../../support/documented-table.ts'
import { suite } from '../../support/suite.ts'
import { type Kind, kindOf, kinds, type Owner } from './own-and-foreign.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('who may call what', { timeoutMs: 240_000 })

interface Route {
  readonly method: string
  readonly path: string
  readonly access: string
  /** Names in its query. */
  readonly filters: readonly string[]
}
interface Caller {
  readonly column: string
  readonly headers: Readonly<Record<string, string>>
  readonly owner: Owner | undefined
}

const everyScope = ['read', 'run', 'account', 'builder', 'admin', 'mqtt:read', 'mqtt:status'] as const
/** What a cell may say. */
const words = {
  yes: 'yes',
  own: 'own',
  seen: 'own, 403',
  unseen: '404',
  foreign: 'all',
  role: '–',
  scope: 'scope',
  stranger: 'sign in',
  controls: 'with the controls',
} as const

let hub: ServedHub
let routes: readonly Route[] = []
const callers: Caller[] = []
let somebodyElse: Owner

test.before(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
  const person = async (column: string, role: (typeof roles)[number], scopes: readonly string[]) => {
    const { person: owner, bearer } = await hub.person(role, scopes)
    callers.push({ column, headers: bearer, owner })
  }
  callers.push({ column: 'stranger', headers: {}, owner: undefined })
  for (const role of [...roles].reverse()) await person(role, role, everyScope)
  // Both scopes of MQTT open nothing here.
  for (const scope of everyScope.slice(0, -1)) await person(`admin’s token: ${scope}`, 'admin', [scope])
  somebodyElse = (await hub.person('instructor', ['read'])).person
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { 'x-access': string; parameters?: { name: string }[] }>>
  }
  routes = Object.entries(document.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { 'x-access': access, parameters = [] }]) => ({
        method: method.toUpperCase(),
        path,
        access,
        filters: parameters.map(({ name }) => name),
      })),
    )
    .sort((a, b) => (`${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1))
})
test.after(() => hub.close())

const absent = '0'.repeat(26)

/** One call; what stands in a refusal, with the object's id left out. */
async function call({ method, path }: Route, { headers, owner }: Caller, id: string) {
  const address = path.replace('{id}', id).replaceAll(/\{\w+\}/g, 'none')
  const body = method === 'GET' || method === 'DELETE' ? undefined : (kindOf(path)?.bodies?.[`${method} ${path}`] ?? {})
  const response = await hub.json(method, address, body, headers)
  if (response.headers.get('content-type') !== 'application/problem+json') {
    await response.body?.cancel()
    // Later calls come with the same token.
    if (path === '/api/v1/tokens/revoke-all' && owner !== undefined) {
      const { db } = hub.store
      await hub.store.write([db.updateTable('token').set({ revoked_at: null }).where('person_id', '=', owner.id)])
    }
    return { status: response.status, code: '', text: '' }
  }
  const text = await response.text()
  const { code } = JSON.parse(text) as { code: string }
  return { status: response.status, code, text: text.replaceAll(id, '') }
}

async function cell(route: Route, caller: Caller): Promise<string> {
  const answer = await call(route, caller, absent)
  if (answer.code === 'sign-in-needed') return words.stranger
  if (answer.code === 'scope-missing') return words.scope
  if (answer.code === 'forbidden') return words.role
  const listed = route.method === 'GET' ? kinds.find(({ path }) => path === `${route.path}/{id}`) : undefined
  if (listed !== undefined && caller.owner !== undefined) return listCell(route, caller, listed)
  const kind = kindOf(route.path)
  if (kind === undefined || caller.owner === undefined) return words.yes
  const mine = await call(route, caller, await kind.make(hub, caller.owner))
  const foreign = await call(route, caller, await kind.make(hub, somebodyElse))
  // A foreign object must not tell that it is there: it reads as one that is not.
  const asAbsent = ({ status, text }: typeof answer) => status === 404 && text === answer.text
  if (asAbsent(foreign)) return asAbsent(mine) ? words.unseen : words.own
  return foreign.status === 403 ? words.seen : words.foreign
}

/** Whose things a list names. */
async function listCell({ path }: Route, { column, headers, owner }: Caller, kind: Kind): Promise<string> {
  const mine = await kind.make(hub, owner ?? somebodyElse)
  const foreign = await kind.make(hub, somebodyElse)
  const text = await (await fetch(`${hub.url}${path}?limit=200`, { headers })).text()
  assert.ok(text.includes(mine), `${column}: ${path} leaves out what is theirs`)
  return text.includes(foreign) ? words.foreign : words.own
}

async function table(): Promise<string[][]> {
  const head = ['call', ...callers.map(({ column }) => column)]
  const lines = [head]
  for (const route of routes) {
    const cells: string[] = []
    for (const caller of callers) cells.push(await cell(route, caller))
    lines.push([`\`${route.method} ${route.path}\``, ...cells])
  }
  return lines
}

test('the running hub does what docs/access.md says, for every route, caller and owner', async () => {
  const found = await table()
  compareTable('calls', found)
  const rows = found.slice(1)
  for (const [at, { path, access }] of routes.entries()) {
    const [stranger = '', ...others] = rows[at]?.slice(1) ?? []
    assert.is(stranger === words.yes, access === 'public', `strangers: ${path}`)
    // Neither guests nor students nor lab builders see what belongs to others.
    assert.not(others.slice(0, 3).includes(words.foreign), `${path}: ${others}`)
    // A refusal names the object: only to whom may see it anyway.
    const seeing = rows[routes.findIndex((one) => one.method === 'GET' && one.path === kindOf(path)?.path)]
    for (const [column, word] of others.entries()) {
      if (word === words.seen) assert.is(seeing?.[column + 2], words.foreign, `${path}: ${callers[column + 1]?.column}`)
    }
  }
})

/** Others than the owner of an object, by what they are to them. */
const others: Readonly<Record<string, { role: (typeof roles)[number]; inCourse?: 'member' | 'instructor' }>> = {
  'partner in the session': { role: 'student' },
  'student of the same course': { role: 'student', inCourse: 'member' },
  'student who teaches the course': { role: 'student', inCourse: 'instructor' },
  'guest who teaches the course': { role: 'guest', inCourse: 'instructor' },
  'instructor who teaches the course': { role: 'instructor', inCourse: 'instructor' },
  'instructor of others': { role: 'instructor' },
}
const partner = 'partner in the session'
const isCourse = ({ path }: Kind) => path.endsWith('/groups/{id}') || path.endsWith('/courses/{id}')

test('who has to do with the owner may do with an object what docs/access.md says, also by a filter of a list', async () => {
  const { store } = hub
  const owner = (await hub.person('student', ['read'])).person
  const people: (Caller & { readonly owner: Owner; readonly inCourse: 'member' | 'instructor' | undefined })[] = []
  for (const [column, { role, inCourse }] of Object.entries(others)) {
    const { person, bearer } = await hub.person(role, everyScope)
    // Wrong passwords are counted by address, and this is not about guessing.
    const headers = { ...bearer, 'x-forwarded-for': `2001:db8:${people.length}::1` }
    people.push({ column, headers, owner: person, inCourse })
  }
  const made = async (kind: Kind | undefined): Promise<string> => {
    const id = (await kind?.make(hub, owner)) ?? ''
    for (const { column, owner: person, inCourse } of people) {
      const member = { group_id: id, person_id: person.id, added_at: 0 }
      const joined = { run_id: id, person_id: person.id, joined_at: 0 }
      if (kind?.path.includes('/sessions/') && column === partner)
        await store.write([store.db.insertInto('live_partner').values(joined)])
      if (kind !== undefined && isCourse(kind) && inCourse !== undefined)
        await store.write([store.db.insertInto('group_member').values({ ...member, role: inCourse })])
    }
    return id
  }
  const course = await made(kinds.find(isCourse))
  const rows: string[][] = []
  for (const route of routes) {
    const kind = kindOf(route.path)
    if (kind === undefined) continue
    const cells: string[] = []
    for (const who of people) {
      const nothing = await call(route, who, absent)
      const { status, code, text } = await call(route, who, await made(kind))
      const isAbsent = status === 404 && text === nothing.text
      cells.push(
        isAbsent
          ? words.unseen
          : code === 'not-in-control'
            ? words.controls
            : code === 'forbidden' || code === 'scope-missing'
              ? words.role
              : words.yes,
      )
    }
    rows.push([`\`${route.method} ${route.path}\``, ...cells])
  }
  for (const { path, method, filters } of routes) {
    const kind = kinds.find((one) => one.path === `${path}/{id}`)
    if (method !== 'GET' || kind === undefined || isCourse(kind)) continue
    const id = await made(kind)
    for (const [name, value] of Object.entries({ person: owner.id, group: course, course })) {
      if (!filters.includes(name)) continue
      const cells: string[] = []
      for (const { headers } of people) {
        const answer = await fetch(`${hub.url}${path}?limit=200&${name}=${value}`, { headers })
        const text = await answer.text()
        cells.push(text.includes(id) ? words.yes : answer.ok ? 'nothing' : String(answer.status))
      }
      rows.push([`\`GET ${path}?${name}=\``, ...cells])
    }
  }
  compareTable('objects', [['call', ...people.map(({ column }) => column)], ...rows])
})

test.run()
