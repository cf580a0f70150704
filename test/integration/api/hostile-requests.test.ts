/**
 * What nobody should send, sent to every route of openapi.json by somebody who may call them all: each answer is a
 * problem that says what was wrong, none is an error of the hub's, and what is refused has changed nothing.
 */
import '../../support/fixed-seed.ts'
import { createHash } from 'node:crypto'
import { newId } from '@fernlab/shared/primitives/ids'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { adminToken, startTestHub, type TestHub } from '../hub/hub-with-node.ts'
import { kindOf, type Owner } from './own-and-foreign.ts'
import { placesIn, plausible, type Schema, withAt } from './plausible.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('hostile requests', { timeoutMs: 120_000 })

interface Route {
  readonly method: string
  readonly path: string
  readonly query: readonly string[]
  readonly body: Schema | undefined
}
interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
}
interface Sent {
  readonly path?: string
  readonly query?: string
  readonly body?: string
  readonly type?: string
}
interface Answer {
  readonly status: number
  readonly code?: string
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}
/** What each table holds, as a digest. */
type Kept = Readonly<Record<string, string>>
/** A hub, and who calls it. */
interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly bench: string
  /** An id that such a route takes, of something that is there where this hub has any. */
  idFor(route: Route): Promise<string>
  /** Everything that the hub keeps but for when it last saw somebody. */
  kept(): Promise<Kept>
}

let hub: ServedHub
let lab: TestHub
let owner: Owner
let served: Target
/** With a node, runs and sessions, which the other one only has in a table. */
let whole: Target
let routes: readonly Route[] = []
let calls = 0

test.before(async () => {
  // Each call from an address of its own: guesses are counted by address, and this is not about guessing.
  hub = await serveHub({ trustedProxies: ['loopback'], benches: ['n1.b1'] })
  const { person, bearer } = await hub.person('admin', ['read', 'run', 'builder', 'admin'])
  owner = person
  served = {
    url: hub.url,
    headers: bearer,
    bench: 'n1.b1',
    idFor: async ({ path }) => (await kindOf(path)?.make(hub, owner)) ?? '0'.repeat(26),
    kept,
  }
  lab = await startTestHub({ env: { FERNLAB_TRUSTED_PROXIES: 'loopback' } })
  await lab.node('node-1')
  const submitted = await lab.call('/api/v1/runs', { method: 'POST', json: { lab: 'small', protocol: 'nothing' } })
  const { id } = (await submitted.json()) as { id: string }
  await lab.final(id)
  whole = {
    url: lab.hub.httpUrl,
    headers: { authorization: `Bearer ${adminToken}` },
    bench: 'node-1.b-1',
    idFor: async () => id,
    kept: async () => ({}),
  }
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Described>>
  }
  routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.flatMap((parameter) => (parameter.in === 'query' ? [parameter.name] : [])),
      body: requestBody?.content['application/json'].schema,
    })),
  )
})
test.after(async () => {
  await hub.close()
  await lab.close()
})

const ofRuns = /^\/api\/v1\/(runs|sessions|benches|nodes|bookings|recurring)/
const targetsOf = ({ path }: Route) => (ofRuns.test(path) ? [served, whole] : [served])

async function send(target: Target, route: Route, id: string, { path, query = '', body, type }: Sent): Promise<Answer> {
  const filled = route.path
    .replace('{id}', id)
    .replace('{bench}', target.bench)
    .replaceAll(/\{\w+\}/g, 'small')
  const shown = `${route.method} ${path ?? route.path}${query.slice(0, 80)} ${body?.slice(0, 200) ?? ''}`
  const response = await fetch(`${target.url}${path ?? filled}${query}`, {
    method: route.method,
    headers: {
      ...target.headers,
      'x-forwarded-for': `2001:db8:${(++calls).toString(16)}::1`,
      ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
  })
  if (response.status < 400) {
    await response.body?.cancel()
    return { status: response.status }
  }
  const text = await response.text()
  assert.ok(response.status < 500, `${shown}: ${response.status} ${text}`)
  assert.is(response.headers.get('content-type'), 'application/problem+json', `${shown}: ${text}`)
  const problem = JSON.parse(text) as Answer & { detail?: string; hint?: string }
  assert.is(problem.status, response.status, shown)
  for (const said of [problem.code, problem.detail, problem.hint]) assert.ok(said, `${shown}: ${text}`)
  if (problem.code === 'request-invalid') assert.ok(problem.issues?.length, `${shown}: no place is named: ${text}`)
  return problem
}

async function kept(): Promise<Kept> {
  const { database } = hub.store
  const tables: Record<string, string> = {}
  for (const { name } of await database.read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) {
    const rows = await database.read(`SELECT * FROM "${name}"`)
    const text = JSON.stringify(rows.map(({ last_used_at, last_seen_at, ...row }) => row))
    tables[String(name)] = createHash('sha256').update(text).digest('hex')
  }
  return tables
}

/** Rules by which the hub would remove things while what comes next is refused are undone, and their sweep is over. */
async function keepAll(): Promise<void> {
  await hub.maintenance.setRetention({ dataDays: null, runDays: null }, owner.id)
  await hub.maintenance.setUsageRules({ addressDays: null, nameDays: null }, owner.id)
  await hub.maintenance.sweep()
}

/** Sends all of it to a route; what was refused altogether must have left no trace. */
async function sendAll(
  route: Route,
  all: readonly Sent[],
  look: (answer: Answer, sent: Sent, target: Target) => void = () => {},
) {
  for (const target of targetsOf(route)) {
    let id = await target.idFor(route)
    const before = await target.kept()
    let refused = true
    for (const sent of all) {
      const answer = await send(target, route, id, sent)
      look(answer, sent, target)
      if (answer.status >= 400) continue
      refused = false
      id = await target.idFor(route)
    }
    if (!refused && route.path.startsWith('/api/v1/settings/')) await keepAll()
    if (refused)
      assert.equal(await target.kept(), before, `${route.method} ${route.path}: a refused call changed something`)
  }
}

const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
const noBodies = ['', 'null', '[]', '"x"', '7', '{', '{"a":1,}', '\0', deep, '{"__proto__":{"admin":true}}']
const odd = ['x'.repeat(300_000), '', -1, 1e308, null, [null]]
const unseen = 'name\0'

/** Where any text is a secret that may be wrong, and where a node would be asked, which this hub has not. */
const takesAny = /^\/api\/v1\/(benches\/\{bench\}\/(lease|exchange)|nodes\/enroll)$/

test('a body that is none, of another kind, too deep or with a wrong part is refused', async () => {
  for (const route of routes) {
    if (route.body === undefined) continue
    const fits = plausible(route.body)
    const random = fc.sample(fc.json({ maxDepth: 3 }), 2)
    const places = placesIn(fits, 2)
    const parts = [
      ...places.map((place) => withAt(fits, place, unseen)),
      ...places.filter(({ length }) => length === 1).flatMap((place) => odd.map((value) => withAt(fits, place, value))),
    ]
    const types = ['text/plain', 'multipart/form-data; boundary=x'].map((type) => ({
      type,
      body: JSON.stringify(fits),
    }))
    const bodies = [...noBodies, ...random, ...parts.map((part) => JSON.stringify(part))].map((body) => ({ body }))
    await sendAll(route, [...bodies, ...types], ({ status }, { body = '' }, target) => {
      if (!body.includes('\\u0000') || target !== targetsOf(route).at(-1) || takesAny.test(route.path)) return
      assert.ok(status >= 400, `${route.method} ${route.path} took ${body.slice(0, 200)}`)
    })
  }
})

test('a query with a wrong, huge or doubled value is refused or finds nothing', async () => {
  const values = ['', '-1', '9'.repeat(400), '%00', 'x'.repeat(5000), "'%20OR%201=1--"]
  for (const route of routes) {
    const all = route.query.flatMap((name) => [
      ...values.map((value) => ({ query: `?${name}=${value}`, name })),
      { query: `?${name}=1&${name}=2`, name },
    ])
    await sendAll(route, all, ({ issues }, { query, name }: Sent & { name?: string }) => {
      if (name !== 'limit') return
      assert.is(issues?.[0]?.path, 'query.limit', `${route.path}${query?.slice(0, 40)}`)
    })
  }
})

test('a path with odd parts, or with ids of other things, leads nowhere', async () => {
  const { id: token } = await hub.accounts.createToken({ personId: owner.id }, { name: 'x', scopes: ['read'] })
  const ids = ['%00', '%ff', '%2e%2e%2f%2e%2e', 'x'.repeat(4000), '__proto__', newId(0), token]
  for (const route of routes.filter(({ path }) => path.includes('{'))) {
    const body = route.body === undefined ? {} : { body: JSON.stringify(plausible(route.body)) }
    await sendAll(
      route,
      ids.map((value) => ({ ...body, path: route.path.replaceAll(/\{\w+\}/g, value) })),
    )
  }
})

test.run()
