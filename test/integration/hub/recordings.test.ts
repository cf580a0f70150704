import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Data, Run } from '@fernlab/shared/contracts/api'
import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import { LEAST_APART_S, type Recording } from '@fernlab/shared/contracts/recordings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { filmsIn, nearestFrame } from '../../../hub/web/src/run/film.ts'
import { commandLine } from '../../support/command-line.ts'
import { docTables } from '../../support/doc-tables.ts'
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
  // What was seen last is written as the session ends, which nobody waits for but a hub that closes.
  await lab.restart()
})
test.after(async () => {
  await node?.close()
  await lab?.close()
})

const get = (path: string, who: TestPerson | undefined = ada) =>
  fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}${path}`, { headers: who.bearer })
const recording = async (): Promise<Recording> => (await (await get('/recording')).json()) as Recording

/** What ffprobe says of a file. */
const probe = (file: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync('ffprobe', ['-v', 'error', '-of', 'json', ...args, file])
  assert.is(status, 0, String(stderr))
  return String(stdout)
}

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

const film = async (headers: Record<string, string> = {}) => {
  const answer = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/recording/view/film.mkv`, {
    headers: { ...ada.bearer, ...headers },
  })
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}
const times = async () => {
  const [head, ...rows] = (await (await get('/recording/view/times.csv')).text()).trimEnd().split('\r\n')
  return { head, rows: rows.map((row) => row.split(',').map(Number)) }
}

test('one file of it plays, with the time of each picture; a table has the same times', async () => {
  const { cameras } = await recording()
  const frames = filmsIn({ cameras })[0]?.frames ?? []
  const { status, headers, bytes } = await film()
  assert.is(status, 200)
  assert.is(headers.get('content-type'), 'video/x-matroska')
  assert.is(Number(headers.get('content-length')), bytes.length)
  assert.match(headers.get('content-disposition') ?? '', /^attachment; filename="oven-[\w-]+-\w{8}-view\.mkv"$/)
  const file = join(lab.folder, 'film.mkv')
  await writeFile(file, bytes)
  const shown = ['format_tags=title,creation_time:stream=codec_name,width,height:packet=pts_time,size', '-show_packets']
  const probed = probe(file, ['-show_entries', ...shown, '-show_format', '-show_streams'])
  const { packets, streams, format } = JSON.parse(probed) as {
    packets: { pts_time: string; size: string }[]
    streams: { codec_name: string; width: number; height: number }[]
    format: { tags: Record<string, string> }
  }
  assert.equal(
    streams.map(({ codec_name, width, height }) => ({ codec_name, width, height })),
    [{ codec_name: 'mjpeg', width: 640, height: 480 }],
  )
  const first = frames[0]?.time ?? 0
  assert.ok(Math.abs(Date.parse(format.tags.creation_time ?? '') / 1000 - first) < 0.002, format.tags.creation_time)
  assert.is(format.tags.title, `oven, ${session.id}, view`)
  assert.is(packets.length, frames.length)
  const { head, rows } = await times()
  const told = docTables().find(({ path }) => path.endsWith('/times.csv'))?.columns
  assert.is(head, told?.join())
  assert.is(rows.length, frames.length)
  for (const [i, { time }] of frames.entries()) {
    const [number, shownAt = 0, , seen = 0] = rows[i] ?? []
    assert.is(number, i + 1)
    assert.ok(Math.abs(seen - time) < 1e-5 && Math.abs(shownAt - (time - first)) < 0.001, `${rows[i]}`)
    assert.ok(Math.abs(Number(packets[i]?.pts_time) - shownAt) < 0.0005, `${packets[i]?.pts_time}`)
  }
  const started = frames.length - (rows.filter(([, , since = 0]) => since < 0).length ?? 0)
  assert.is(started, frames.length, 'seconds since the run began')
  const decoded = spawnSync('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-'])
  assert.equal([decoded.status, String(decoded.stderr)], [0, ''])
})

test('a part of the file is answered as it stands in the whole, and none beyond its end', async () => {
  const { bytes: whole, headers } = await film()
  const tag = headers.get('etag') ?? ''
  const middle = Math.floor(whole.length / 2)
  for (const [range, from, to] of [
    ['bytes=0-9', 0, 10],
    [`bytes=${middle}-${middle + 70_000}`, middle, middle + 70_001],
    ['bytes=-100', whole.length - 100, whole.length],
    [`bytes=${whole.length - 1}-`, whole.length - 1, whole.length],
  ] as const) {
    const part = await film({ range, 'if-range': tag })
    assert.equal(
      [part.status, part.headers.get('content-range')],
      [206, `bytes ${from}-${to - 1}/${whole.length}`],
      range,
    )
    assert.ok(part.bytes.equals(whole.subarray(from, to)), range)
  }
  const beyond = await film({ range: `bytes=${whole.length}-` })
  assert.equal([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${whole.length}`])
  assert.is((JSON.parse(beyond.bytes.toString()) as { code: string }).code, 'range-empty')
  assert.is((await film({ range: 'bytes=0-9', 'if-range': '"another"' })).status, 200)
  const head = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/recording/view/film.mkv`, {
    method: 'HEAD',
    headers: { ...ada.bearer, range: 'bytes=0-9' },
  })
  assert.equal([head.status, Number(head.headers.get('content-length'))], [200, whole.length])
})

test('fernlab download saves the film and its times', async () => {
  const env = {
    FERNLAB_HUB: lab.hub.httpUrl,
    FERNLAB_TOKEN: ada.bearer.authorization.slice('Bearer '.length),
    HOME: lab.folder,
  }
  const folder = join(lab.folder, 'taken')
  const { code, out, err } = await commandLine(['download', session.id, '--form', 'film', '--to', folder], { env })
  assert.is(code, 0, err)
  const [video, csv] = out.trim().split('\n')
  assert.match(video ?? '', /-view\.mkv$/)
  assert.match(csv ?? '', /-view-times\.csv$/)
  assert.ok((await readFile(video ?? '')).equals((await film()).bytes))
  const none = await commandLine(['download', session.id, '--form', 'film', '--stream', 'box', '--to', folder], { env })
  assert.match(none.err, /has no film by box\n +It has view\./)
  const { body } = await ada.ask('POST', '/api/v1/runs', { lab: 'oven', protocol: 'look' })
  const run = await lab.final((body as Run).id)
  const unfilmed = await commandLine(['download', run.id, '--form', 'film', '--to', folder], { env })
  assert.match(unfilmed.err, /has no film/)
})

test('nobody sees a recording but who may read the run; of a run without one there is none', async () => {
  assert.is((await get('/recording', ben)).status, 404)
  assert.is((await get('/recording/view/0', ben)).status, 404)
  assert.is((await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/recording/view/0`)).status, 401)
  for (const path of ['/recording/view/film.mkv', '/recording/view/times.csv']) {
    assert.is((await get(path, ben)).status, 404)
    assert.is((await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}${path}`)).status, 401)
  }
  const none = [
    'box/film.mkv',
    'box/times.csv',
    'view/film.mkv?attempt=2',
    'view/9999',
    'view/-1',
    'view/x',
    'box/0',
    'view/0?attempt=2',
  ].map((piece) => `/recording/${piece}`)
  for (const path of none) {
    assert.is((await get(path)).status, 404, path)
  }
  const { body } = await ada.ask('POST', '/api/v1/runs', { lab: 'oven', protocol: 'look' })
  const run = await lab.final((body as Run).id)
  const nothing = await ada.ask('GET', `/api/v1/runs/${run.id}/recording`)
  assert.equal(nothing.body, { attempt: 1, cursor: '0', cameras: [] })
})

test.run()
