/** The driver camera on V4L2: the kernel's emulated webcam, read by the ffmpeg of the machine outside. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBench } from '@fernlab/edge/benches/bench'
import { pictureKind } from '@fernlab/edge/checks/kinds/picture'
import { discover } from '@fernlab/edge/discovery/discovery'
import { draftsOf } from '@fernlab/edge/discovery/draft'
import type { Finding } from '@fernlab/edge/discovery/find'
import { ownPerson, type Person } from '@fernlab/edge/discovery/person'
import { machineRoot } from '@fernlab/edge/discovery/root'
import { createCameraDriver } from '@fernlab/edge/drivers/camera/camera'
import {
  type Connection,
  createInstrumentHandle,
  type InstrumentHandle,
} from '@fernlab/edge/instruments/instrument-handle'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { mountFfmpeg } from '../../support/kernel/in-guest/ffmpeg.ts'
import { suite } from '../../support/suite.ts'

/** udev's, which stays when another camera is plugged in before it. */
const lasting = '/dev/v4l/by-path/platform-vivid.0-video-index0'
const size = { width: 320, height: 240 }
const config = { source: { kind: 'v4l2', path: lasting }, ...size, rateHz: 2 }
/** Programs start ten times as slowly as outside: every limit is longer, every pause as it is. */
const patient: Clock = { ...systemClock, after: (ms, callback) => systemClock.after(10 * ms, callback) }
const { signal } = new AbortController()

const make = (given: object = config) =>
  createCameraDriver().create(given, {
    name: 'eye',
    clock: patient,
    log: silentLog,
    configFolder: '.',
    openTransport: async () => {
      throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a camera needs no transport' })
    },
  })

/** What opening it says to the account that asks. */
async function refusal(): Promise<string> {
  const camera = await make()
  try {
    return (await rejection(camera.open(signal))).message
  } finally {
    await camera.close()
  }
}

const lab = { name: 'lab', uid: 1000, gids: [1000] }

/** The same of an account that is in no group but its own, which is a process of its own. */
async function refusalOfLab(): Promise<string> {
  const file = fileURLToPath(import.meta.url).replace(/\.ts$/, '.mjs')
  const child = fork(file, ['as lab'], { uid: lab.uid, gid: lab.uid })
  const [said] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown]
  return String(said)
}

const lookAround = async (person: Person): Promise<Finding[]> =>
  await discover({ root: machineRoot(), person, arch: process.arch, node: { claims: [], findings: [] } })

const bindTo = (what: 'bind' | 'unbind') => writeFileSync(`/sys/bus/platform/drivers/vivid/${what}`, 'vivid.0')

/** Width and height of a JPEG file, by its frame header (ITU-T T.81, B.2.2); throws where it is not whole. */
function sizeOf(jpeg: Buffer): { width: number; height: number } {
  assert.equal([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
  let at = 2
  while (jpeg[at + 1] !== 0xc0) at += 2 + jpeg.readUInt16BE(at + 2)
  return { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) }
}

/** A camera as the node has it, with each turn of its connection. */
async function camera(): Promise<{ handle: InstrumentHandle; turns: Connection[] }> {
  const handle = createInstrumentHandle({ name: 'eye', instrument: await make(), clock: patient, log: silentLog })
  const turns: Connection[] = []
  handle.onConnection((connection) => turns.push(connection))
  handle.start()
  return { handle, turns }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(50)
}

if (process.argv[2] === 'as lab') {
  const said = await refusal()
  await new Promise((sent) => process.send?.(said, sent))
  process.exit()
}

const test = suite('camera', { timeoutMs: 120_000, fileTimeoutMs: 600_000 })
let eye: Awaited<ReturnType<typeof camera>> | undefined
let unmount = () => {}

function opened() {
  if (eye === undefined) throw new Error('the camera has not come up')
  return eye
}

test.before(async () => {
  await until(() => existsSync(lasting) && statSync(lasting).gid !== 0)
  unmount = mountFfmpeg()
})

test.after(async () => {
  await eye?.handle.close()
  unmount()
})

test('is found by its lasting name, and becomes an instrument as it is found', async () => {
  const found = (await lookAround(ownPerson())).filter(({ group }) => group === 'Cameras')
  assert.equal(
    found.map(({ what, verdict, detail, lines }) => ({ what, verdict, detail, lines })),
    [
      {
        what: 'vivid-000-vid-cap',
        verdict: 'ok',
        detail: `${lasting}, now /dev/video0`,
        lines: ['sudo fernlab node add-instrument camera:platform-vivid.0-video-index0'],
      },
    ],
  )
  const [{ find } = { find: undefined }] = found
  const drafts = find === undefined ? [] : draftsOf(find)
  assert.equal(drafts, [{ driver: 'camera', config: { source: { kind: 'v4l2', path: lasting } }, settings: [] }])
  assert.ok(find?.keys.includes('camera:/dev/video0'))
})

test('without permission both say which group', async () => {
  const found = await lookAround(lab)
  const seen = found.find(({ group }) => group === 'Cameras')
  assert.is(seen?.verdict, 'look')
  assert.match(seen?.detail ?? '', /: lab may not open it, not being in the group video$/)
  const todo = found.find(({ group }) => group === 'Permissions')
  // Besides those of the machine's other devices.
  assert.match(todo?.lines?.at(-1) ?? '', /^sudo usermod -aG \S*\bvideo lab$/)
  assert.match(await refusalOfLab(), /index0 may not be used: put the node's user in the group video \(sudo usermod/)
})

test('its picture is bright, has contrast, changes, and passes the check', async () => {
  eye = await camera()
  const { handle } = eye
  await until(() => handle.connection.online)
  const readings = await handle.read(['brightness', 'contrast', 'rate'], { signal, timeoutMs: 10_000 })
  const measured = (name: string) => Number(readings[name]?.value)
  // Of the seven bars of 75 % and white; above and below them is what a picture of another shape leaves black.
  assert.ok(measured('brightness') > 10 && measured('brightness') < 60, `brightness ${measured('brightness')} %`)
  assert.ok(measured('contrast') > 10, `contrast ${measured('contrast')} %`)
  assert.ok(measured('rate') > 0, `rate ${measured('rate')} Hz`)
  const bench = createBench({
    name: 'b',
    entry: { parts: { view: 'eye' }, safeState: {}, checks: {} },
    parts: new Map([['view', handle]]),
    fence: 0,
    clock: patient,
    log: silentLog,
    newId: () => 'lease',
    onValue: () => {},
  })
  try {
    await pictureKind.perform({ part: 'view' }, bench, signal)
  } finally {
    await bench.close()
  }
})

test('gives live pictures and a still, whole, of the size that was asked for', async () => {
  const { handle } = opened()
  const still = await handle.take({ signal, timeoutMs: 10_000 })
  assert.equal(sizeOf(Buffer.from(still.jpeg)), size)
  const seen = []
  for await (const picture of handle.camera?.follow(signal) ?? []) {
    seen.push(picture)
    if (seen.length === 3) break
  }
  assert.equal(
    seen.map(({ jpeg }) => sizeOf(Buffer.from(jpeg))),
    [size, size, size],
  )
  const times = [still, ...seen].map(({ time }) => time)
  assert.equal(
    times,
    [...times].sort((a, b) => a - b),
  )
  assert.is(new Set(seen.map(({ jpeg }) => Buffer.from(jpeg).toString('base64'))).size, 3)
})

test('taken from its driver it is offline with the reason, and comes back by itself', async () => {
  const { handle, turns } = opened()
  const reason = () => (handle.connection.online ? '' : handle.connection.reason)
  turns.length = 0
  bindTo('unbind')
  await until(() => turns.length > 0)
  // The one while ffmpeg waits for a picture, the other when it asks for the next one afterwards.
  const first = turns[0]?.online === false ? turns[0].reason : 'online'
  assert.match(first, /^the camera has stopped: \S+index0: (No such device|Invalid argument)$/)
  assert.is((await rejection(handle.read(['brightness'], { signal }))).code, 'instrument-offline')
  await until(() => reason().startsWith('there is no camera at'))
  assert.is(reason(), `there is no camera at ${lasting}; there is none`)
  bindTo('bind')
  await until(() => handle.connection.online)
  const { brightness } = await handle.read(['brightness'], { signal, timeoutMs: 10_000 })
  assert.ok(Number(brightness?.value) > 10, `brightness ${brightness?.value} %`)
})

test.run()
