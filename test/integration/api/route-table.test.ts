import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('every route of openapi.json, by who calls', { timeoutMs: 60_000 })
let hub: ServedHub

interface Route {
  method: string
  path: string
  access: string
  parameters: readonly string[]
}
let routes: Route[] = []
/** Tokens that work at the start. */
const held: string[] = []
const callers: Record<string, Record<string, string>> = {}

test.before(async () => {
  hub = await serveHub()
  const student = await hub.person('student', ['read', 'run', 'admin'])
  const reader = await hub.person('admin', ['read'])
  const admin = await hub.person('admin', ['admin'])
  const revoked = await hub.person('admin', ['admin'])
  await hub.accounts.revokeToken(revoked.person.id, revoked.token.id)
  const expired = await hub.person('admin', ['admin'])
  await hub.store.write([
    hub.store.db
      .updateTable('token')
      .set({ expires_at: Date.now() - 1 })
      .where('id', '=', expired.token.id),
  ])
  held.push(student.token.id, reader.token.id, admin.token.id)
  Object.assign(callers, {
    stranger: {},
    revoked: revoked.bearer,
    expired: expired.bearer,
    reader: reader.bearer,
    student: student.bearer,
    admin: admin.bearer,
  })
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { 'x-access': string; parameters?: { name: string }[] }>>
  }
  routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-access': access, parameters = [] }]) => ({
      method,
      path,
      access,
      parameters: parameters.map(({ name }) => name),
    })),
  )
})
test.after(() => hub.close())

async function status(route: Route, caller: string): Promise<{ status: number; code: string }> {
  const path = route.path
    .replace('{lab}', 'no-such-lab')
    .replace('{id}', '0'.repeat(26))
    .replace('{bench}', 'no.bench')
    .replace('{node}', 'no-node')
    .replace('{outage}', 'no-outage')
    .replace('{path}', 'x.svg')
  const withBody = route.method !== 'get' && route.method !== 'delete'
  const response = await fetch(`${hub.url}${path}`, {
    method: route.method.toUpperCase(),
    headers: { ...callers[caller], ...(withBody ? { 'content-type': 'application/json' } : {}) },
    ...(withBody ? { body: '{}' } : {}),
  })
  const text = await response.text()
  // Later calls come with the same token.
  if (response.ok && path === '/api/v1/tokens/revoke-all') {
    await hub.store.write([hub.store.db.updateTable('token').set({ revoked_at: null }).where('id', 'in', held)])
  }
  const problem = response.headers.get('content-type') === 'application/problem+json' ? JSON.parse(text) : {}
  if (response.status >= 400) {
    assert.is(response.headers.get('content-type'), 'application/problem+json', `${route.method} ${path}: ${text}`)
    for (const key of ['type', 'title', 'status', 'detail', 'code', 'hint']) assert.ok(problem[key], `${path}: ${key}`)
  }
  return { status: response.status, code: problem.code ?? '' }
}

/** What a person whose token may only read, or who is a student, must be refused. */
const refusedTo: Record<string, readonly string[]> = {
  reader: [
    'labs.push',
    'runs.submit',
    'runs.cancel',
    'bookings.make',
    'bookings.change',
    'bookings.series',
    'recurring.manage',
    'benches.drive',
    'benches.maintain',
    'benches.put-back',
    'benches.release',
    'nodes.manage',
    'nodes.equip',
    'tokens.manage',
    'account.manage',
    'account.secure',
    'people.invite',
    'people.manage',
    'groups.manage',
    'permissions.manage',
    'settings.change',
    'audit.read',
  ],
  student: [
    'labs.push',
    'bookings.series',
    'benches.drive',
    'benches.maintain',
    'benches.put-back',
    'benches.release',
    'nodes.read',
    'nodes.manage',
    'nodes.equip',
    'people.read',
    'people.invite',
    'people.manage',
    'groups.manage',
    'permissions.read',
    'permissions.manage',
    'audit.read',
    'usage.read-site',
    'storage.read',
    'settings.change',
  ],
}

test('there are routes, and each says who may call it', () => {
  assert.ok(routes.length > 35, `${routes.length} routes`)
  assert.equal(
    routes.filter(({ access }) => typeof access !== 'string'),
    [],
  )
})

test('every unsafe call of a person says that it takes an idempotency key', () => {
  const without = routes.filter(({ parameters }) => !parameters.includes('idempotency-key'))
  assert.equal(
    without.filter(({ method, access }) => method !== 'get' && access !== 'public').map(({ path }) => path),
    [],
  )
})

test('only the listed routes are open to strangers', async () => {
  const open: string[] = []
  for (const route of routes) {
    const answer = await status(route, 'stranger')
    if (answer.code !== 'sign-in-needed') open.push(`${route.method} ${route.path}`)
  }
  assert.equal(open.sort(), [
    'get /api/auth/get-session',
    'get /api/v1/labs',
    'get /api/v1/labs/{lab}',
    'get /api/v1/labs/{lab}/files/{path}',
    'get /api/v1/labs/{lab}/readme',
    'get /api/v1/site',
    'get /healthz',
    'get /metrics',
    'get /readyz',
    'post /api/auth/change-password',
    'post /api/auth/sign-in/email',
    'post /api/auth/sign-out',
    'post /api/v1/address/confirm',
    'post /api/v1/join',
    'post /api/v1/join/check',
    'post /api/v1/nodes/enroll',
    'post /api/v1/password/forgot',
    'post /api/v1/password/reset',
    'post /api/v1/register',
    'post /api/v1/register/check',
    'post /api/v1/register/confirm',
    'post /api/v1/setup',
    'post /api/v1/setup/check',
    'post /api/v1/sign-in/passkey',
    'post /api/v1/sign-in/passkey/begin',
    'post /api/v1/sign-in/second-factor',
  ])
})

test('a token that was revoked or is too old opens nothing', async () => {
  for (const route of routes.filter(({ path }) => path.startsWith('/api/v1/'))) {
    for (const caller of ['revoked', 'expired']) {
      assert.equal(await status(route, caller), { status: 401, code: 'token-refused' }, `${caller}: ${route.path}`)
    }
  }
})

for (const caller of ['reader', 'student']) {
  test(`a ${caller} is refused what is not theirs, and nothing else`, async () => {
    for (const route of routes) {
      const { status: found } = await status(route, caller)
      const mayNot = refusedTo[caller]?.includes(route.access) === true
      const what = `${caller}: ${route.method} ${route.path} (${route.access}) answered ${found}`
      if (mayNot) assert.is(found, 403, what)
      else assert.ok(found !== 403 && (found !== 401 || route.path.startsWith('/api/auth/')), what)
      assert.ok(found < 500, what)
    }
  })
}

test('an admin is refused nothing', async () => {
  for (const route of routes) {
    const { status: found } = await status(route, 'admin')
    assert.ok(
      found !== 403 && (found !== 401 || route.path.startsWith('/api/auth/')) && found < 500,
      `${route.method} ${route.path}: ${found}`,
    )
  }
})

const notBuilt = ['programs', 'desktops', 'peers', 'models', 'protocols']

test('what is promised and not built says so after sign-in', async () => {
  for (const name of notBuilt) {
    const path = `${hub.url}/api/v1/${name}`
    assert.is((await fetch(path)).status, 401, name)
    const answer = await fetch(path, { headers: callers.admin ?? {} })
    assert.is(answer.status, 501, name)
    assert.is(((await answer.json()) as { code: string }).code, 'not-built-yet')
  }
})

test('there is no route beside those of openapi.json but the listed ones', async () => {
  const described = routes.map(({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
  /** What describes the product, and nothing of the site's people and runs. */
  const open = ['GET /openapi.json', 'GET /asyncapi.json', 'GET /docs', 'GET /docs/style.css']
  const known = new Set([
    ...described,
    ...open,
    // A file in a folder of a lab, and a service with its node: the same handlers as without the slash.
    'GET /api/v1/labs/:lab/files/*',
    'GET /api/v1/directory/*',
    ...notBuilt.flatMap((name) => [`ALL /api/v1/${name}`, `ALL /api/v1/${name}/*`]),
    // What every call passes first.
    ...['/*', '/api/*', '/api/v1/*', '/metrics'].map((path) => `ALL ${path}`),
  ])
  const served = new Set(hub.routes.map(({ method, path }) => `${method} ${path}`))
  assert.equal(
    [...served].filter((route) => !known.has(route)),
    [],
  )
  assert.equal(
    [...known].filter((route) => !served.has(route)),
    [],
  )
  for (const route of open) assert.is((await fetch(`${hub.url}${route.replace('GET ', '')}`)).status, 200, route)
})

test.run()
