import type { Run } from '@fernlab/shared/contracts/api'
import { newId } from '@fernlab/shared/primitives/ids'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('runs over HTTP', { timeoutMs: 30_000 })
let hub: ServedHub
let student: Awaited<ReturnType<ServedHub['person']>>

test.before(async () => {
  hub = await serveHub()
  student = await hub.person('student', ['read', 'run'])
})
test.after(() => hub.close())

const submit = async (body: object = {}) => {
  const wanted = { lab: 'rc-circuit', protocol: 'charge-curve', ...body }
  return (await (await hub.json('POST', '/api/v1/runs', wanted, student.bearer)).json()) as Run
}
const rerun = (id: string, body?: object, headers: Record<string, string> = student.bearer) =>
  hub.json('POST', `/api/v1/runs/${id}/rerun`, body, headers)
const code = async (response: Response) => ((await response.json()) as { code: string }).code

test('a run again has the old parameters, with changes on top', async () => {
  const old = await submit({ parameters: { voltage: 2, duration: 3 } })
  const same = (await (await rerun(old.id)).json()) as Run
  assert.not(same.id === old.id)
  assert.equal(same.parameters, { voltage: 2, duration: 3 })
  const response = await rerun(old.id, { parameters: { voltage: 4 } })
  assert.is(response.status, 201)
  const changed = (await response.json()) as Run
  assert.equal(
    [changed.lab, changed.protocol, changed.parameters],
    ['rc-circuit', 'charge-curve', { voltage: 4, duration: 3 }],
  )
  assert.is(response.headers.get('location'), `/api/v1/runs/${changed.id}`)
})

test('a run again is done once for a key', async () => {
  const old = await submit()
  const headers = { ...student.bearer, 'idempotency-key': 'again-1' }
  const first = await rerun(old.id, {}, headers)
  const second = await rerun(old.id, {}, headers)
  assert.equal([first.status, second.status], [201, 200])
  assert.is(((await second.json()) as Run).id, ((await first.json()) as Run).id)
})

test('another student’s run can’t be run again', async () => {
  const old = await submit()
  const other = await hub.person('student', ['read', 'run'])
  const before = (await hub.runs.list({ limit: 200 })).items.length
  const refused = await rerun(old.id, {}, other.bearer)
  assert.is(refused.status, 404)
  assert.is(await code(refused), 'not-found')
  assert.is((await hub.runs.list({ limit: 200 })).items.length, before)
})

test('a run that there is not is 404 wherever it is asked for', async () => {
  const id = newId(Date.now())
  const calls = [
    ...['', '/events', '/documents', '/data.json', '/data.csv', '/data.parquet', '/data.h5'].map(
      (path) => ['GET', path] as const,
    ),
    ...['/cancel', '/rerun'].map((path) => ['POST', path] as const),
  ]
  for (const [method, path] of calls) {
    const response = await hub.json(method, `/api/v1/runs/${id}${path}`, undefined, student.bearer)
    assert.is(response.status, 404, path)
    assert.is(response.headers.get('content-type'), 'application/problem+json')
    assert.is(await code(response), 'not-found', path)
  }
})

test('a state that is named twice lists its runs once', async () => {
  const someone = await hub.person('student', ['read', 'run'])
  await hub.json('POST', '/api/v1/runs', { lab: 'rc-circuit', protocol: 'p' }, someone.bearer)
  const answer = await fetch(`${hub.url}/api/v1/runs?state=queued,queued`, { headers: someone.bearer })
  assert.is(((await answer.json()) as { items: Run[] }).items.length, 1)
})

test.run()
