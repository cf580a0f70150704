import type { Data, Run } from '@fernlab/shared/contracts/api'
import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import { LEAST_APART_S, type Recording } from '@fernlab/shared/contracts/recordings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { filmsIn, nearestFrame } from '../../../hub/web/src/run/film.ts'
import { suite } from '../../support/suite.ts'
import { type CameraNode, startCameraNode } from './camera-node.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('recordings of sessions', { timeoutMs: 40_000 })
let lab: TestHub
let node: CameraNode
let ada: TestPerson
let ben: TestPerson
let session: Session

test.before(async () => {
  lab = await startTestHub()
  node = await startCameraNode(lab, lab.hub.httpUrl)
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  session = (await ada.ask('POST', '/api/v1/sessions', { lab: 'oven' })).body as Session
  await until(
    async () => ((await recording()).cameras[0]?.pieces.length ?? 0) >= 3,
    'three seconds are recorded',
    20_000,
  )
  await ada.ask('DELETE', `/api/v1/sessions/${session.id}`)
  await lab.final(session.id)
  // What was seen last is written as the session ends, which nobody waits for.
  let before = -1
  await until(async () => {
    const { cameras } = await recording()
    const { bytes = 0 } = cameras[0] ?? {}
    const isSame = bytes === before
    before = bytes
    return isSame
  }, 'no more comes')
})
test.after(async () => {
  await node?.close()
  await lab?.close()
})

const get = (path: string, who: TestPerson | undefined = ada) =>
  fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}${path}`, { headers: who.bearer })
const recording = async (): Promise<Recording> => (await (await get('/recording')).json()) as Recording

test('who takes part, or may, is told before and while it is', async () => {
  assert.equal(session.films, ['view'])
  const { session: offered } = (await (await lab.call('/api/v1/labs/oven')).json()) as {
    session?: { films?: string[] }
  }
  assert.equal(offered?.films, ['view'])
})

test('each picture has its own time, on the clock of the readings', async () => {
  const { attempt, cameras } = await recording()
  assert.is(attempt, 1)
  const [film] = filmsIn({ cameras })
  const frames = film?.frames ?? []
  assert.ok(frames.length > 5, `${frames.length} pictures`)
  const readings = (await (await get('/data.json?stream=readings')).json()) as Data
  const [first = 0, last = 0] = [frames[0]?.time, frames.at(-1)?.time]
  const within = readings.time.filter((time) => time >= first && time <= last)
  assert.ok(within.length > 5, `${within.length} readings`)
  const gaps = frames.slice(1).map(({ time }, i) => time - (frames[i]?.time ?? 0))
  assert.ok(Math.min(...gaps) >= LEAST_APART_S, `${Math.min(...gaps)} s`)
  // How far apart they are is the camera's, on a machine that has time for it.
  const most = Math.max(0.05, Math.max(...gaps) / 2 + 1e-6)
  for (const time of within) {
    const away = Math.abs(time - (frames[nearestFrame(frames, time)]?.time ?? 0))
    assert.ok(away <= most, `${away} s`)
  }
})

test('pieces hold the pictures that are told of', async () => {
  const { cameras } = await recording()
  let bytes = 0
  for (const { number, times } of cameras[0]?.pieces ?? []) {
    const answer = await lab.call(`/api/v1/runs/${session.id}/recording/view/${number}`)
    const piece = new Uint8Array(await answer.arrayBuffer())
    bytes += piece.length
    const pictures = unpackPictures(piece)
    assert.equal(
      pictures.map(({ time }) => time),
      times,
    )
    for (const { jpeg } of pictures) assert.equal([...jpeg.subarray(-2)], [0xff, 0xd9])
  }
  assert.is(bytes, cameras[0]?.bytes)
})

test('nobody sees a recording but who may read the run; of a run without one there is none', async () => {
  assert.is((await get('/recording', ben)).status, 404)
  assert.is((await get('/recording/view/0', ben)).status, 404)
  assert.is((await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/recording/view/0`)).status, 401)
  const none = ['view/9999', 'view/-1', 'view/x', 'box/0', 'view/0?attempt=2'].map((piece) => `/recording/${piece}`)
  for (const path of none) {
    assert.is((await get(path)).status, 404, path)
  }
  const { body } = await ada.ask('POST', '/api/v1/runs', { lab: 'oven', protocol: 'look' })
  const run = await lab.final((body as Run).id)
  const nothing = await ada.ask('GET', `/api/v1/runs/${run.id}/recording`)
  assert.equal(nothing.body, { attempt: 1, cameras: [] })
})

test.run()
