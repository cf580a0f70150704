import { connect } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments, storeRun } from '../results/stored-run.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('requests at the edges', { timeoutMs: 30_000 })
let hub: ServedHub
let bearer: Record<string, string>
let student: Awaited<ReturnType<ServedHub['person']>>

test.before(async () => {
  hub = await serveHub()
  bearer = (await hub.person('admin', ['admin'])).bearer
  student = await hub.person('student', ['read', 'run', 'admin'])
})
test.after(() => hub.close())

async function problem(
  response: Response,
): Promise<{ status: number; code: string; issues: { path: string; message: string }[]; hint: string }> {
  assert.is(response.headers.get('content-type'), 'application/problem+json')
  return (await response.json()) as never
}

test('malformed JSON, another kind of body, an unknown address and a wrong method are problems with hints', async () => {
  const send = (body: string, type: string) =>
    fetch(`${hub.url}/api/v1/runs`, { method: 'POST', headers: { ...bearer, 'content-type': type }, body })
  assert.is((await problem(await send('{"lab": ', 'application/json'))).code, 'malformed-json')
  assert.is((await problem(await send('a=b', 'application/x-www-form-urlencoded'))).status, 415)
  assert.is((await problem(await fetch(`${hub.url}/api/v1/nothing`, { headers: bearer }))).code, 'not-found')
  const wrong = await fetch(`${hub.url}/api/v1/runs`, { method: 'PATCH', headers: bearer })
  assert.is(wrong.headers.get('allow'), 'GET, POST')
  assert.is((await problem(wrong)).code, 'method-not-allowed')
})

test('retention rules by which samples would outlive their run are refused', async () => {
  const rules = (dataDays: number | null, runDays: number | null) =>
    hub.json('PUT', '/api/v1/settings/retention', { dataDays, runDays }, bearer)
  const answer = await problem(await rules(30, 10))
  assert.is(answer.code, 'request-invalid')
  assert.equal(
    answer.issues.map(({ path }) => path),
    ['runDays'],
  )
  for (const [dataDays, runDays] of [
    [10, 10],
    [30, null],
    [null, 10],
    [null, null],
  ] as const) {
    assert.is((await rules(dataDays, runDays)).status, 200)
  }
})

test('input that does not fit lists every place', async () => {
  const answer = await problem(await hub.json('POST', '/api/v1/runs', { lab: 'No', protocol: 'p', extra: 1 }, bearer))
  assert.is(answer.status, 400)
  assert.ok(answer.issues.some(({ path }) => path === 'lab'))
  const [limit] = (await problem(await fetch(`${hub.url}/api/v1/runs?limit=0`, { headers: bearer }))).issues
  assert.equal([limit?.path, limit?.message], ['query.limit', 'must be 1 or more'])
  const odd = await problem(await fetch(`${hub.url}/api/v1/runs?state=odd`, { headers: bearer }))
  assert.is(odd.issues[0]?.path, 'query.state')
  const sleepy = await problem(await fetch(`${hub.url}/api/v1/directory?state=sleepy`, { headers: bearer }))
  assert.is(sleepy.issues[0]?.path, 'query.state')
  assert.match(sleepy.issues[0]?.message ?? '', /^must be one of up, busy, locked, unhealthy, gone/)
})

test('a body of 100 MB is refused without being held, declared or in chunks', async () => {
  const address = new URL(hub.url)
  const calls = [true, false].flatMap((declared) =>
    ['POST /api/v1/runs', 'PUT /api/v1/labs/large'].map((call) => ({ declared, call })),
  )
  for (const { declared, call } of calls) {
    const before = process.memoryUsage().rss
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(address.port), address.hostname)
      let text = ''
      const total = 100_000_000
      const chunk = Buffer.alloc(64 * 1024, 'x')
      let sent = 0
      const more = () => {
        while (sent < total && text === '') {
          sent += chunk.byteLength
          const piece = declared
            ? chunk
            : Buffer.concat([Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
          if (!socket.write(piece)) return socket.once('drain', more)
        }
        return undefined
      }
      socket.on('data', (data) => {
        text += data.toString()
      })
      socket.on('close', () => resolve(text))
      socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)))
      socket.write(
        `${call} HTTP/1.1\r\nhost: ${address.host}\r\nauthorization: ${bearer.authorization}\r\ncontent-type: application/json\r\n${declared ? `content-length: ${total}` : 'transfer-encoding: chunked'}\r\n\r\n`,
      )
      more()
    })
    assert.match(answer, /^HTTP\/1\.1 413 /)
    assert.match(answer, /body-too-large/)
    assert.ok(process.memoryUsage().rss - before < 60_000_000, `${call}: memory grew`)
  }
  assert.is(await (await fetch(`${hub.url}/healthz`)).text(), 'ok\n')
})

test('who still sends when a body is refused gets the answer, not a reset', async () => {
  const { hostname, port, host } = new URL(hub.url)
  for (const kind of ['content-length: 100000000', 'transfer-encoding: chunked']) {
    const socket = connect(Number(port), hostname).pause()
    socket.on('error', () => {}) // told to whoever writes
    const write = (data: string) =>
      new Promise<void>((resolve, reject) => socket.write(data, (error) => (error ? reject(error) : resolve())))
    await write(
      `POST /api/v1/runs HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${bearer.authorization}\r\ncontent-type: application/json\r\n${kind}\r\n\r\n`,
    )
    const piece = 'x'.repeat(64 * 1024)
    for (let n = 0; n < 96; n++) await write(kind.includes('chunked') ? `10000\r\n${piece}\r\n` : piece)
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())).resume(),
    )
    assert.match(answer, /^HTTP\/1\.1 413 /)
    socket.destroy()
  }
})

test('a run with an idempotency key is made once', async () => {
  const headers = { ...student.bearer, 'idempotency-key': 'key-1' }
  const body = { lab: 'rc-circuit', protocol: 'charge-curve' }
  const answers = await Promise.all([1, 2].map(() => hub.json('POST', '/api/v1/runs', body, headers)))
  const first = answers[0]
  assert.is(first?.headers.get('location')?.startsWith('/api/v1/runs/'), true)
  const again = await hub.json('POST', '/api/v1/runs', body, headers)
  assert.is(again.status, 200)
  assert.is(again.headers.get('idempotency-replayed'), 'true')
})

test('lists are paged by cursor without a gap or a double', async () => {
  const someone = await hub.person('student', ['read', 'run'])
  const ids: string[] = []
  for (let n = 0; n < 7; n++) {
    const answer = await hub.json(
      'POST',
      '/api/v1/runs',
      { lab: 'rc-circuit', protocol: 'charge-curve' },
      someone.bearer,
    )
    ids.push(((await answer.json()) as { id: string }).id)
  }
  await hub.setState(ids[2] ?? '', 'succeeded')
  const all = async (query: string) => {
    const seen: string[] = []
    let cursor = ''
    do {
      const answer = await fetch(`${hub.url}/api/v1/runs?limit=2${query}${cursor}`, { headers: someone.bearer })
      const { items, cursor: next } = (await answer.json()) as { items: { id: string }[]; cursor?: string }
      assert.ok(items.length <= 2)
      seen.push(...items.map(({ id }) => id))
      cursor = next === undefined ? '' : `&cursor=${next}`
    } while (cursor !== '')
    return seen
  }
  const newestFirst = [...ids].sort().reverse()
  assert.equal(await all(''), newestFirst)
  assert.equal(await all('&state=queued,succeeded'), newestFirst)
  assert.equal(await all('&state=succeeded'), [ids[2]])
  const bad = await fetch(`${hub.url}/api/v1/tokens?cursor=%25`, { headers: student.bearer })
  assert.is((await problem(bad)).code, 'cursor-invalid')
})

test('another student’s run reads as if it did not exist; staff see it', async () => {
  const [one, other, staff] = await Promise.all([
    hub.person('student', ['read', 'run']),
    hub.person('student', ['read', 'run']),
    hub.person('instructor', ['read', 'run']),
  ])
  const answer = await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'charge-curve' }, one.bearer)
  const { id } = (await answer.json()) as { id: string }
  for (const path of ['', '/events', '/documents', '/data.json', '/data.csv', '/data.parquet', '/data.h5']) {
    const refused = await fetch(`${hub.url}/api/v1/runs/${id}${path}`, { headers: other.bearer })
    assert.is((await problem(refused)).code, 'not-found', path)
  }
  assert.is((await hub.json('POST', `/api/v1/runs/${id}/cancel`, undefined, other.bearer)).status, 404)
  assert.is((await fetch(`${hub.url}/api/v1/runs/${id}`, { headers: staff.bearer })).status, 200)
  const list = (await (await fetch(`${hub.url}/api/v1/runs`, { headers: other.bearer })).json()) as { items: unknown[] }
  assert.equal(list.items, [])
})

test('Prefer: wait answers when the run is over', async () => {
  const answer = await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'charge-curve' }, student.bearer)
  const { id } = (await answer.json()) as { id: string }
  const waiting = fetch(`${hub.url}/api/v1/runs/${id}`, { headers: { ...student.bearer, prefer: 'wait=20' } })
  await new Promise((resolve) => setTimeout(resolve, 100))
  await hub.setState(id, 'succeeded')
  const response = await waiting
  assert.is(response.headers.get('preference-applied'), 'wait=20')
  assert.is(((await response.json()) as { state: string }).state, 'succeeded')
})

test('a full disk refuses new runs with 507 and keeps serving', async () => {
  let free = 100
  const full = await serveHub({ freeBytes: async () => free })
  try {
    const { bearer: mine } = await full.person('student', ['read', 'run'])
    const body = { lab: 'rc-circuit', protocol: 'charge-curve' }
    const refused = await full.json('POST', '/api/v1/runs', body, mine)
    assert.is(refused.status, 507)
    assert.is((await problem(refused)).code, 'runs-refused')
    assert.is((await fetch(`${full.url}/api/v1/runs`, { headers: mine })).status, 200)
    free = 2_000_000_000
    await full.maintenance.lookAtDisk()
    const keyed = { ...mine, 'idempotency-key': 'before-it-was-full' }
    const made = await full.json('POST', '/api/v1/runs', body, keyed)
    assert.is(made.status, 201)
    free = 100
    await full.maintenance.lookAtDisk()
    const again = await full.json('POST', '/api/v1/runs', body, keyed)
    assert.is(again.status, 200, 'a run that is there already')
    assert.is(((await again.json()) as { id: string }).id, ((await made.json()) as { id: string }).id)
    assert.is((await full.json('POST', '/api/v1/runs', body, mine)).status, 507)
  } finally {
    await full.close()
  }
})

test('tokens are listed newest first, a page at a time', async () => {
  const someone = await hub.person('student', ['read', 'run', 'admin'])
  for (const name of ['second', 'third']) {
    await hub.json('POST', '/api/v1/tokens', { name, scopes: ['read'] }, someone.bearer)
  }
  const page = async (query: string) =>
    (await (await fetch(`${hub.url}/api/v1/tokens?limit=2${query}`, { headers: someone.bearer })).json()) as {
      items: { name: string }[]
      cursor?: string
    }
  const first = await page('')
  assert.equal(
    first.items.map(({ name }) => name),
    ['third', 'second'],
  )
  const rest = await page(`&cursor=${first.cursor}`)
  assert.equal(
    rest.items.map(({ name }) => name),
    ['student'],
  )
})

test('a download is named after its lab, protocol, run and stream', async () => {
  const { person, bearer: mine } = await hub.person('student', ['read', 'run'])
  const run = await storeRun(hub.store, { person: { id: person.id, name: 'Ada' }, rows: { primary: 5 } })
  await storeDocuments(hub.store, [...documentsOf(run, { pages: 1, rowsPerPage: 5 })])
  for (const query of ['', '?stream=primary']) {
    for (const form of ['csv', 'json', 'parquet', 'h5']) {
      const answer = await fetch(`${hub.url}/api/v1/runs/${run.id}/data.${form}${query}`, { headers: mine })
      await answer.arrayBuffer()
      const named = `filename="rc-circuit-charge-curve-${run.id.slice(-8)}-primary.${form}"`
      assert.is(answer.headers.get('content-disposition'), `attachment; ${named}`, `${form}${query}`)
    }
  }
})

test('what fails before the first byte is a problem, what fails later breaks the answer; both are in the log', async () => {
  const log = recordingLog()
  const broken = await serveHub({ log })
  try {
    const { person, bearer: mine } = await broken.person('student', ['read', 'run'])
    const run = await storeRun(broken.store, { person: { id: person.id, name: 'Ada' } })
    await storeDocuments(broken.store, [...documentsOf(run, { pages: 40, rowsPerPage: 5000 })])
    const spoil = (seq: number) =>
      broken.store.database.write([
        { sql: `UPDATE document SET body = x'ff' WHERE run_id = ? AND seq = ?`, params: [run.id, seq] },
      ])
    const csv = () => fetch(`${broken.url}/api/v1/runs/${run.id}/data.csv`, { headers: mine })
    await spoil(40)
    const late = await csv()
    assert.is(late.status, 200)
    const text = await late.text().catch(() => 'broke off')
    assert.not.match(text, /Unexpected|CBOR|decode/i)
    assert.ok(text === 'broke off' || !text.endsWith('\r\n'), 'nobody takes it for whole')
    assert.ok(log.lines.some(({ message }) => message === 'an answer broke off'))
    await spoil(2)
    const early = await csv()
    assert.ok(early.status >= 500, `${early.status}`)
    assert.is(early.headers.get('content-type'), 'application/problem+json')
    assert.ok(log.lines.some(({ message }) => message === 'a request failed'))
  } finally {
    await broken.close()
  }
})

test('readiness tells strangers which check failed, and the log why', async () => {
  const log = recordingLog()
  const unready = await serveHub({ log })
  try {
    let well = false
    unready.monitoring.addCheck('disk', async () => {
      if (well) return undefined
      throw new LabError({ code: 'database-unusable', kind: 'configuration', message: '/srv/lab/hub.db is gone' })
    })
    for (let n = 0; n < 2; n++) {
      const answer = await fetch(`${unready.url}/readyz`)
      assert.is(answer.status, 503)
      assert.equal(await answer.json(), { ready: false, checks: { disk: { ok: false, detail: 'database-unusable' } } })
    }
    well = true
    assert.is((await fetch(`${unready.url}/readyz`)).status, 200)
    const told = log.lines
      .map(({ level, fields }) => ({ level, fields: fields as { check?: string; error?: string } }))
      .filter(({ fields }) => fields.check === 'disk')
    assert.equal(
      told.map(({ level, fields }) => [level, fields.error]),
      [
        ['warn', '/srv/lab/hub.db is gone'],
        ['info', undefined],
      ],
    )
  } finally {
    await unready.close()
  }
})

test('the document of the API lists every answer, and the cookie as it is called here', async () => {
  type Document = {
    paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
    components: { securitySchemes: { session: { name: string } } }
  }
  const read = async (url: string) => (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const { paths, components } = await read(hub.url)
  const statuses = (path: string, method: string, problems = 400) =>
    Object.keys(paths[path]?.[method]?.responses ?? {}).filter((status) => !(Number(status) >= problems))
  assert.equal(statuses('/api/v1/runs', 'post'), ['200', '201', 'default'])
  assert.equal(statuses('/api/v1/runs/{id}/rerun', 'post'), ['200', '201', 'default'])
  assert.equal(statuses('/api/v1/labs/{lab}', 'put'), ['200', '201', 'default'])
  assert.equal(statuses('/readyz', 'get', 504), ['200', '503', 'default'])
  assert.is(components.securitySchemes.session.name, 'fernlab.session_token')
  const secure = await serveHub({ secure: true })
  try {
    const { cookie } = await secure.signIn()
    const { name } = (await read(secure.url)).components.securitySchemes.session
    assert.is(cookie.split('=')[0], name)
    assert.match(name, /^__Host-Http-/)
  } finally {
    await secure.close()
  }
})

test('every answer carries the headers that keep browsers careful', async () => {
  for (const path of ['/healthz', '/openapi.json', '/api/v1/site', '/docs', '/nothing']) {
    const response = await fetch(`${hub.url}${path}`)
    await response.arrayBuffer()
    assert.is(response.headers.get('x-content-type-options'), 'nosniff', path)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/, path)
    assert.not.match(policy, /unsafe-(inline|eval)/, path)
  }
})

test('the documents for people and programs are there', async () => {
  const docs = await (await fetch(`${hub.url}/docs`)).text()
  assert.match(docs, /\/api\/v1\/runs\/\{id\}\/events/)
  assert.not.match(docs, /<script|style=/)
  assert.is((await fetch(`${hub.url}/docs/style.css`)).headers.get('content-type'), 'text/css; charset=utf-8')
  const asyncApi = (await (await fetch(`${hub.url}/asyncapi.json`)).json()) as {
    channels: Record<string, { address: string }>
  }
  assert.is(asyncApi.channels.nodeHealth?.address, 'fernlab/v1/here/nodes/{node}/health')
  const openapi = (await (await fetch(`${hub.url}/openapi.json`)).json()) as { openapi: string }
  assert.is(openapi.openapi, '3.1.0')
})

test('what describes the API is open to everyone', async () => {
  for (const path of ['/docs', '/docs/style.css', '/openapi.json', '/asyncapi.json']) {
    const proxied = await fetch(`${hub.url}${path}`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
    assert.is(proxied.status, 200, path)
  }
})

test('metrics are for this machine and for admins; behind a proxy only for admins', async () => {
  const text = await (await fetch(`${hub.url}/metrics`)).text()
  for (const name of [
    'fernlab_event_loop_delay_seconds',
    'fernlab_ingest_rows_total',
    'fernlab_http_request_seconds',
  ]) {
    assert.match(text, name)
  }
  const proxied = { 'x-forwarded-for': '203.0.113.9' }
  assert.is((await fetch(`${hub.url}/metrics`, { headers: proxied })).status, 401)
  assert.is((await fetch(`${hub.url}/metrics`, { headers: { ...proxied, ...bearer } })).status, 200)
  for (const scopes of [['read'], ['run', 'mqtt:read']]) {
    const narrow = await hub.person('admin', scopes)
    const refused = await fetch(`${hub.url}/metrics`, { headers: { ...proxied, ...narrow.bearer } })
    assert.is(refused.status, 403, scopes.join())
    assert.is(((await refused.json()) as { code: string }).code, 'scope-missing')
  }
})

test.run()
