import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Data, Run } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { UseDetail } from '@fernlab/shared/contracts/usage'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { type CameraNode, startCameraNode } from './camera-node.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('pictures of a run', { timeoutMs: 40_000 })
let lab: TestHub
let node: CameraNode
let ada: TestPerson
let ben: TestPerson
let run: Run

test.before(async () => {
  lab = await startTestHub()
  node = await startCameraNode(lab, lab.hub.httpUrl)
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  const { status, body } = await ada.ask('POST', '/api/v1/runs', { lab: 'oven', protocol: 'look' })
  assert.is(status, 201, JSON.stringify(body))
  run = await lab.final((body as Run).id)
  assert.is(run.state, 'succeeded', run.reason)
})
test.after(async () => {
  await node?.close()
  await lab?.close()
})

const get = (path: string, who: TestPerson | undefined = ada, init: RequestInit = {}) =>
  fetch(`${lab.hub.httpUrl}/api/v1/runs/${run.id}${path}`, { headers: who?.bearer ?? {}, ...init })
const table = async (query = ''): Promise<Data> =>
  (await (await get(`/data.json?stream=view.pictures${query}`)).json()) as Data

test('a run has the pictures that it took, with their names and times among its data', async () => {
  assert.is(run.rows['view.pictures'], 2)
  for (const data of [await table(), await table('&points=100')]) {
    assert.equal(data.columns, { view_picture: ['view-0001.jpg', 'view-0002.jpg'] })
    assert.is(data.keys.view_picture?.external, 'FILESTORE:')
    const [first = 0, second = 0] = data.time
    assert.ok(second - first >= 0.5, `${second - first} s between them`)
    const readings = (await (await get('/data.json?stream=primary')).json()) as Data
    assert.ok(first >= (readings.time[0] ?? 0) - 0.5 && second <= (readings.time.at(-1) ?? 0) + 0.5, 'one clock')
  }
  for (const number of [1, 2]) {
    const answer = await lab.call(`/api/v1/runs/${run.id}/pictures/view-000${number}.jpg`)
    assert.is(answer.headers.get('content-type'), 'image/jpeg')
    const bytes = new Uint8Array(await answer.arrayBuffer())
    assert.equal([...bytes.subarray(0, 2), ...bytes.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
  }
  assert.match(
    await (await get('/data.csv?stream=view.pictures')).text(),
    /^time_s,view_picture\r\n[\d.]+,view-0001\.jpg/,
  )
})

test('who takes several pictures is noted once for all of them', async () => {
  const { body } = await ada.ask('POST', '/api/v1/runs', { lab: 'oven', protocol: 'look' })
  const { id } = await lab.final((body as Run).id)
  for (const number of [1, 2, 1])
    assert.is(
      (await fetch(`${lab.hub.httpUrl}/api/v1/runs/${id}/pictures/view-000${number}.jpg`, { headers: ada.bearer }))
        .status,
      200,
    )
  await lab.call(`/api/v1/runs/${id}/pictures/view-0001.jpg`)
  const { taken } = (await (await lab.call(`/api/v1/usage/uses/${id}`)).json()) as UseDetail
  assert.equal(
    taken.map(({ what }) => what),
    ['pictures', 'pictures'],
  )
  assert.is(new Set(taken.map(({ by }) => by.id)).size, 2)
})

test('the documents say by the event model where each picture is', async () => {
  const ajv = new Ajv2020({ strict: false })
  const schemas = { start: 'run_start', descriptor: 'event_descriptor', stop: 'run_stop' } as Record<string, string>
  const validators = new Map<string, ReturnType<typeof ajv.compile>>()
  const lines = (await (await get('/documents')).text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; doc: Record<string, unknown> })
  for (const { name, doc } of lines) {
    const file = `shared/schemas/event-model/${schemas[name] ?? name}.json`
    const validate = validators.get(name) ?? ajv.compile(JSON.parse(readFileSync(join(root, file), 'utf8')))
    validators.set(name, validate)
    assert.ok(validate(doc), `${name}: ${ajv.errorsText(validate.errors)}`)
  }
  const docs = (name: string) => lines.filter((line) => line.name === name).map(({ doc }) => doc)
  const descriptor = docs('descriptor').find(({ name }) => name === 'view.pictures')
  const { view_picture } = (descriptor?.data_keys ?? {}) as Record<string, unknown>
  assert.equal(view_picture, {
    dtype: 'array',
    shape: [480, 640, 3],
    source: 'eye.picture',
    units: '1',
    object_name: 'view',
    external: 'FILESTORE:',
  })
  const pages = docs('event_page').filter(({ descriptor: uid }) => uid === descriptor?.uid)
  const named = pages.flatMap(({ data }) => (data as { view_picture: string[] }).view_picture)
  assert.equal(pages[0]?.filled, { view_picture: [false] })
  assert.equal(
    docs('datum').map(({ datum_id }) => datum_id),
    named,
  )
  assert.equal(
    docs('datum').map(({ resource }) => resource),
    docs('resource').map(({ uid }) => uid),
  )
  const path = String(docs('resource')[1]?.resource_path)
  const picture = await fetch(`${lab.hub.httpUrl}/${path}`, { headers: ada.bearer })
  assert.equal([picture.status, picture.headers.get('content-type')], [200, 'image/jpeg'])
})

test('nobody sees a picture but who may read the run; what is none is not there', async () => {
  assert.is((await get('/pictures/view-0001.jpg', ben)).status, 404)
  assert.is((await fetch(`${lab.hub.httpUrl}/api/v1/runs/${run.id}/pictures/view-0001.jpg`)).status, 401)
  for (const name of ['view-0003.jpg', 'box-0001.jpg', 'view-1.jpg', '..%2Fview-0001.jpg', 'view-0001.jpg%00']) {
    const answer = await get(`/pictures/${name}`)
    assert.is(answer.status, 404, name)
    assert.is(((await answer.json()) as { code: string }).code, 'picture-unknown', name)
  }
  assert.is((await get('/pictures/view-0001.jpg?attempt=2')).status, 404)
  const head = await get('/pictures/view-0001.jpg', ada, { method: 'HEAD', headers: ada.bearer })
  assert.equal([head.status, head.headers.get('content-type')], [200, 'image/jpeg'])
})

test('who follows a run is told of each picture by its row', async () => {
  const text = await (await get('/events')).text()
  const told = [...text.matchAll(/^data: (.*"view_picture".*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as { time?: number[]; columns?: Record<string, string[]> },
  )
  assert.equal(
    told.flatMap(({ columns }) => columns?.view_picture ?? []),
    ['view-0001.jpg', 'view-0002.jpg'],
  )
})

test('a person takes a picture in a session', async () => {
  const opened = (await ada.ask('POST', '/api/v1/sessions', { lab: 'oven' })).body as Session
  await until(
    async () => ((await ada.ask('GET', `/api/v1/sessions/${opened.id}`)).body as Session).state === 'active',
    'it begins',
  )
  const seat = await watch(lab, opened.id, ada.bearer)
  await seat.call('call', { action: 'view.take_picture' })
  await ada.ask('DELETE', `/api/v1/sessions/${opened.id}`)
  const recorded = await lab.final(opened.id)
  assert.is(recorded.rows['view.pictures'], 1)
  const answer = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${opened.id}/pictures/view-0001.jpg`, {
    headers: ada.bearer,
  })
  assert.is(answer.status, 200)
  seat.close()
})

test.run()
