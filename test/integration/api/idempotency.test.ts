import { AskedHold } from '@fernlab/shared/clients/typescript/asked-hold'
import { Hub } from '@fernlab/shared/clients/typescript/hub'
import { hubDirectory } from '@fernlab/shared/clients/typescript/hub-directory'
import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('calls with an idempotency key', { timeoutMs: 30_000 })
let hub: ServedHub
let admin: Awaited<ReturnType<ServedHub['person']>>
/** What the nodes were asked to do. */
let done: string[] = []
let exchange = async () => {}
let grant = async () => {}

const node: NodeInfo = { id: 'n', state: 'online', benches: [] } as unknown as NodeInfo
const soon = () => new Date(Date.now() + 60_000).toISOString()

test.before(async () => {
  hub = await serveHub({
    fleet: {
      node: async () => node,
      takeLease: async () => {
        done.push('lease')
        await grant()
        return { lease: `lease-${done.length}`, expiresAt: soon() }
      },
      releaseLease: async (_bench, lease) => {
        done.push(`release ${lease}`)
        return { safe: true }
      },
      exchange: async () => {
        done.push('exchange')
        await exchange()
        return {}
      },
      revoke: async () => void done.push('revoke'),
      rotate: async () => {
        done.push('rotate')
        return { username: 'n', password: 'the-password-of-the-node' }
      },
    },
  })
  admin = await hub.person('admin', ['admin'])
})
test.before.each(() => {
  done = []
  exchange = async () => {}
  grant = async () => {}
})
test.after(() => hub.close())

const call = (method: string, path: string, key: string, body?: unknown) =>
  hub.json(method, `/api/v1${path}`, body, { ...admin.bearer, 'idempotency-key': key })
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code
const move = { lease: 'l', set: { 'box.value': 3 } }

test('what was done is answered again, not done again', async () => {
  const { id } = await hub.accounts.createToken({ personId: admin.person.id }, { name: 'spare', scopes: ['read'] })
  const calls: [method: string, path: string, body?: unknown][] = [
    ['POST', '/benches/n.b/lease', { ttlS: 60 }],
    ['POST', '/benches/n.b/exchange', move],
    ['DELETE', '/benches/n.b/lease?lease=l'],
    ['POST', '/nodes/n/revoke'],
    ['PUT', '/settings/retention', { dataDays: 30, runDays: null }],
    ['DELETE', `/tokens/${id}`],
  ]
  for (const [at, [method, path, body]] of calls.entries()) {
    const first = await call(method, path, `call-${at}`, body)
    assert.ok(first.ok, `${method} ${path}: ${first.status} ${await first.clone().text()}`)
    const again = await call(method, path, `call-${at}`, body)
    assert.is(again.headers.get('idempotency-replayed'), 'true', `${method} ${path}`)
    assert.is(again.status, first.status)
    assert.is(again.headers.get('content-type'), first.headers.get('content-type'))
    assert.is(await again.text(), await first.text())
  }
  assert.equal(done, ['lease', 'exchange', 'release l', 'revoke'])
})

test('a key is good for one call: another body, address or query is refused; another person has keys of their own', async () => {
  assert.ok((await call('POST', '/benches/n.b/exchange', 'one', move)).ok)
  const others = [
    call('POST', '/benches/n.b/exchange', 'one', { ...move, set: { 'box.value': 4 } }),
    call('POST', '/benches/n.c/exchange', 'one', move),
    call('POST', '/benches/n.b/exchange?x', 'one', move),
  ]
  for (const other of await Promise.all(others)) {
    assert.is(other.status, 409)
    assert.is(await codeOf(other), 'idempotency-key-reused')
  }
  const colleague = await hub.person('admin', ['admin'])
  const theirs = { ...colleague.bearer, 'idempotency-key': 'one' }
  assert.ok((await hub.json('POST', '/api/v1/benches/n.b/exchange', move, theirs)).ok)
  assert.equal(done, ['exchange', 'exchange'])
})

test('of two at once one works and the other is told so', async () => {
  let begun = () => {}
  let finish = () => {}
  const working = new Promise<void>((resolve) => (begun = resolve))
  exchange = () => {
    begun()
    return new Promise((resolve) => (finish = resolve))
  }
  const first = call('POST', '/benches/n.b/exchange', 'at-once', move)
  await working
  const second = await call('POST', '/benches/n.b/exchange', 'at-once', move)
  assert.is(second.status, 409)
  assert.is(await codeOf(second), 'still-at-work')
  finish()
  assert.is((await first).status, 200)
  assert.is((await call('POST', '/benches/n.b/exchange', 'at-once', move)).status, 200)
  assert.equal(done, ['exchange'])
})

test('the key of a call that was refused may be used again; that of one that may have moved something may not', async () => {
  const failing = async (key: string, error: Partial<LabError> & Pick<LabError, 'code' | 'kind'>) => {
    done = []
    exchange = async () => {
      throw new LabError({ message: 'no', ...error })
    }
    const first = await call('POST', '/benches/n.b/exchange', key, move)
    assert.is(await codeOf(first), error.code)
    exchange = async () => {}
    return { first, again: await call('POST', '/benches/n.b/exchange', key, move) }
  }
  for (const error of [
    { code: 'lease-ended', kind: 'caller' },
    { code: 'node-offline', kind: 'link' },
  ] as const) {
    const { again } = await failing(error.code, error)
    assert.is(again.status, 200)
    assert.equal(done, ['exchange', 'exchange'])
  }
  const { first, again } = await failing('silent', { code: 'node-silent', kind: 'link', retry: 'later' })
  assert.is(again.status, first.status)
  assert.is(again.headers.get('content-type'), 'application/problem+json')
  assert.is(await codeOf(again), 'node-silent')
  assert.equal(done, ['exchange'])
})

test('a call whose end nobody knows is not done again; a day later its key is forgotten', async () => {
  assert.ok((await call('POST', '/benches/n.b/exchange', 'cut', move)).ok)
  const change = (to: { status?: null; body?: null; created_at?: number }) =>
    hub.store.write([hub.store.db.updateTable('idempotency').set(to).where('key', '=', 'cut')])
  // As a hub leaves it that is killed while the call is at work.
  await change({ status: null, body: null })
  const again = await call('POST', '/benches/n.b/exchange', 'cut', move)
  assert.is(again.status, 409)
  assert.is(await codeOf(again), 'outcome-unknown')
  assert.equal(done, ['exchange'])
  await change({ created_at: Date.now() - 86_400_001 })
  assert.ok((await call('POST', '/benches/n.b/exchange', 'cut', move)).ok)
  assert.equal(done, ['exchange', 'exchange'])
})

test('a bench whose taking was cut off by the end of the hub is asked for again by the same key, by one at a time', async () => {
  const body = { ttlS: 60 }
  const take = (more = {}) => call('POST', '/benches/n.b/lease', 'taking', { ...body, ...more })
  assert.ok((await take()).ok)
  const cut = () =>
    hub.store.write([
      hub.store.db.updateTable('idempotency').set({ status: null, body: null }).where('key', '=', 'taking'),
    ])
  await cut()
  assert.is(await codeOf(await take({ ttlS: 61 })), 'idempotency-key-reused')
  const answers = await Promise.all([take(), take()])
  const statuses = answers.map(({ status }) => status).sort()
  assert.ok(statuses[0] === 200, 'it is done again')
  assert.equal(done, ['lease', 'lease'], 'once')
  assert.equal(await (await take()).json(), await (answers.find(({ ok }) => ok) ?? answers[0])?.json())
  assert.equal(done, ['lease', 'lease'], 'and its answer is kept')
})

const silent = async () => {
  throw new LabError({ code: 'node-silent', kind: 'link', message: 'no answer', retry: 'later' })
}
const broken = async () => {
  throw new LabError({ code: 'internal-error', kind: 'bug', message: 'no reply that can be read' })
}

for (const [what, fail] of [
  ['was silent', silent],
  ['failed', broken],
] as const) {
  test(`a bench whose node ${what} is asked for again by the same key`, async () => {
    const take = () => call('POST', '/benches/n.b/lease', `node-${what.replace(' ', '-')}`, { ttlS: 60 })
    grant = fail
    assert.ok((await take()).status >= 500)
    assert.ok((await take()).status >= 500)
    grant = async () => {}
    const taken = await take()
    assert.is(taken.status, 200, await taken.clone().text())
    assert.equal(done, ['lease', 'lease', 'lease'], 'the node was asked each time')
    assert.equal(await (await take()).json(), await taken.json())
    assert.equal(done.length, 3, 'what it gave is kept')
  })
}

test('a program gives back what a silent node may have granted, and has the bench again, once the node answers', async () => {
  const directory = hubDirectory(new Hub({ url: hub.url, token: admin.token.token, fetch }))
  const asked = new AskedHold({ directory, bench: 'n.b', reason: '', clock })
  grant = silent
  const { code } = await asked.take().then(
    () => assert.unreachable() as never,
    (error: LabError) => error,
  )
  assert.is(code, 'node-silent')
  const times = done.length
  assert.ok(times > 1, 'it asks the node again')
  grant = async () => {}
  await asked.giveBack()
  assert.equal(done.slice(times), ['lease', `release lease-${times + 1}`])
  assert.ok((await new AskedHold({ directory, bench: 'n.b', reason: '', clock }).take()).lease)
})

test('a secret is given once and never kept', async () => {
  const secrets: [path: string, body: unknown, secret: (answer: never) => string][] = [
    ['/tokens', { name: 'mine', scopes: ['read'] }, ({ token }: { token: string }) => token],
    ['/nodes', { node: 'new-node' }, ({ code }: { code: string }) => code],
    ['/nodes/n/rotate', undefined, ({ password }: { password: string }) => password],
  ]
  for (const [path, body, secret] of secrets) {
    const first = await call('POST', path, `secret-${path}`, body)
    assert.ok(first.ok, `${path}: ${first.status}`)
    const told = secret((await first.json()) as never)
    assert.ok(told.length > 5)
    const again = await call('POST', path, `secret-${path}`, body)
    assert.is(await codeOf(again), 'already-done')
    assert.not.match(JSON.stringify(await hub.store.database.read('SELECT * FROM idempotency')), told)
  }
  assert.equal(done, ['rotate'])
})

test('a key that is none is refused', async () => {
  for (const key of ['two words', 'x'.repeat(201)]) {
    const answer = await call('POST', '/benches/n.b/exchange', key, move)
    assert.is(answer.status, 400)
    assert.is(await codeOf(answer), 'request-invalid')
  }
  assert.equal(done, [])
})

test.run()
