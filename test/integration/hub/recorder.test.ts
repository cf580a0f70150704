/** The recorder on a store of its own, with pictures as they are wanted. */
import type { Looker } from '@fernlab/hub/cameras/camera-lines'
import { createRecorded } from '@fernlab/hub/cameras/recorded'
import { createRecorder } from '@fernlab/hub/cameras/recorder'
import type { CatalogueLab } from '@fernlab/hub/catalogue/catalogue'
import type { RunChange } from '@fernlab/hub/runs/runs'
import type { Store } from '@fernlab/hub/store/store'
import { pictureMessage } from '@fernlab/shared/contracts/picture-messages'
import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { temporaryStore } from '../results/stored-run.ts'
import { until } from './hub-with-node.ts'

const test = suite('the recorder of sessions', { timeoutMs: 20_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
test.before.each(async () => {
  opened = await temporaryStore()
})
test.after.each(() => opened.close())

function stage(
  film: readonly string[] | undefined,
  { mostBytes, store, run = 'r1' }: { mostBytes?: number; store?: Store; run?: string } = {},
) {
  const lookers = new Map<string, Looker>()
  const listeners = new Set<(change: RunChange) => void>()
  const clock = new ManualClock(0)
  const log = recordingLog()
  const state = { active: false, away: false, full: false, busy: '', known: Promise.resolve() }
  const recorder = createRecorder({
    store: store ?? opened.store,
    clock,
    log,
    requireSpace: () => {
      if (state.full)
        throw new LabError({ code: 'runs-refused', kind: 'configuration', message: 'the disk is nearly full' })
    },
    ...(mostBytes === undefined ? {} : { mostBytes }),
    sessions: {
      isActive: () => state.active,
      seat: () => {
        if (!state.away) return { node: 'n', attempt: 1 }
        throw new LabError({ code: 'node-offline', kind: 'link', message: 'n is away' })
      },
      labOf: async () => {
        await state.known
        return { lab: { session: film === undefined ? {} : { film } } } as unknown as CatalogueLab
      },
      onChange: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    lines: {
      look: (_session, part, looker) => {
        if (part === state.busy) throw new LabError({ code: 'session-busy', kind: 'caller', message: 'all look at it' })
        lookers.set(part, looker)
        return () => lookers.delete(part)
      },
    },
  })
  const change = (active: boolean) => {
    state.active = active
    for (const listener of listeners) listener({ runId: run, kind: 'state' })
  }
  const show = (time: number, part = 'view', bytes = 10) => {
    const jpeg = new Uint8Array(bytes)
    jpeg.set([0xff, 0xd8])
    lookers.get(part)?.picture(Buffer.from(pictureMessage({ time, jpeg })))
  }
  return { recorder, lookers, clock, log, state, change, show }
}

const recorded = () => createRecorded(opened.store)
const timesOf = async (part = 'view') =>
  (await recorded().of('r1', 1)).cameras.find((one) => one.part === part)?.pieces.map(({ times }) => times) ?? []

test('keeps what comes while the session is active, in pieces of a second, none closer than 45 ms', async () => {
  const { recorder, lookers, clock, change, show } = stage(['view', 'side'])
  change(false)
  change(true)
  change(true)
  await until(async () => lookers.size === 2, 'it looks')
  for (const time of [1, 1.01, 1.05, 1.1, 1.12, 1.2]) show(time)
  show(1.06, 'side')
  await clock.advance(1000)
  for (const time of [2, 2.1]) show(time)
  change(false)
  await until(async () => lookers.size === 0, 'it looks no more')
  await recorder.stop()
  assert.equal(await timesOf(), [
    [1, 1.05, 1.1, 1.2],
    [2, 2.1],
  ])
  assert.equal(await timesOf('side'), [[1.06]])
  const piece = await recorded().piece({ runId: 'r1', attempt: 1, part: 'view', number: 1 })
  assert.equal(
    unpackPictures(piece).map(({ time, jpeg }) => [time, jpeg.length]),
    [
      [2, 10],
      [2.1, 10],
    ],
  )
})

test('of a camera of 10 Hz or more no moment is further than 50 ms from a picture', async () => {
  for (const [i, rate] of [10, 12.5, 15, 20, 25, 30, 60].entries()) {
    const { recorder, lookers, change, show } = stage(['view'], { run: `rate-${i}` })
    change(true)
    await until(async () => lookers.size === 1, 'it looks')
    for (let picture = 0; picture < 100; picture++) show(picture / rate)
    await recorder.stop()
    const times = (await recorded().of(`rate-${i}`, 1)).cameras[0]?.pieces.flatMap((piece) => piece.times) ?? []
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0))
    assert.ok(times.length > 20 && Math.max(...gaps) <= 0.1 + 1e-9, `${rate} Hz: ${Math.max(...gaps)} s`)
  }
})

test('a lab that does not say so is not recorded', async () => {
  const { recorder, lookers, change } = stage(undefined)
  change(true)
  await recorder.stop()
  assert.is(lookers.size, 0)
  assert.equal((await recorded().of('r1', 1)).cameras, [])
})

test('goes on after the pieces that are there, and begins once the node is', async () => {
  for (const first of [1, 2]) {
    const { recorder, lookers, change, show, state } = stage(['view'])
    state.away = true
    change(true)
    await until(async () => {
      state.away = false
      change(true)
      return lookers.size === 1
    }, 'it looks')
    show(first)
    await recorder.stop()
  }
  const { cameras } = await recorded().of('r1', 1)
  assert.equal(cameras[0]?.pieces, [
    { number: 0, times: [1] },
    { number: 1, times: [2] },
  ])
})

test('a clock that was set back leaves no gap', async () => {
  const { recorder, lookers, change, show } = stage(['view'])
  change(true)
  await until(async () => lookers.size === 1, 'it looks')
  for (const time of [3600, 3600.1, 10, 10.02, 10.1]) show(time)
  await recorder.stop()
  assert.equal(await timesOf(), [[3600, 3600.1, 10, 10.1]])
})

test('of several cameras it looks at all or none', async () => {
  const { recorder, lookers, change, state, log } = stage(['view', 'side'])
  state.busy = 'side'
  change(true)
  await until(async () => log.lines.some(({ message }) => /can not begin yet/.test(message)), 'it can not begin')
  assert.is(lookers.size, 0)
  state.busy = ''
  change(true)
  await until(async () => lookers.size === 2, 'it looks')
  await recorder.stop()
})

test('a beginning that fails late takes nothing of the one that came after it', async () => {
  const { recorder, lookers, change, show, state, log } = stage(['view'])
  let fail = (_reason: Error) => {}
  state.known = new Promise((_, reject) => {
    fail = reject
  })
  change(true)
  change(false)
  state.known = Promise.resolve()
  change(true)
  await until(async () => lookers.size === 1, 'it looks')
  const [looker] = lookers.values()
  fail(new Error('too late'))
  await until(async () => log.lines.some(({ message }) => /can not begin yet/.test(message)), 'the first has failed')
  state.known = new Promise(() => {})
  change(true)
  show(1)
  assert.is([...lookers.values()][0], looker)
  change(false)
  await until(async () => lookers.size === 0, 'it looks no more')
  await until(async () => (await timesOf()).length === 1, 'it is written')
  await recorder.stop()
})

test('ends when it is as large as it may be, what was kept before included', async () => {
  for (const times of [
    [1, 2],
    [3, 4],
  ]) {
    const { recorder, lookers, change, show, log } = stage(['view'], { mostBytes: 3500 })
    change(true)
    await until(async () => lookers.size === 1, 'it looks')
    for (const time of times) show(time, 'view', 1000)
    const isFull = times[0] === 3
    assert.is(lookers.size, isFull ? 0 : 1)
    assert.is(log.lines.filter(({ message }) => /as large as it may be/.test(message)).length, isFull ? 1 : 0)
    await recorder.stop()
  }
  assert.equal(await timesOf(), [[1, 2], [3]])
})

test('a disk that is nearly full is left to what runs measure', async () => {
  const { recorder, lookers, clock, state, change, show, log } = stage(['view'])
  change(true)
  await until(async () => lookers.size === 1, 'it looks')
  state.full = true
  show(1)
  await clock.advance(1000)
  await until(async () => log.lines.some(({ message }) => /has a gap/.test(message)), 'it is told')
  state.full = false
  show(2)
  await recorder.stop()
  assert.equal(await timesOf(), [[2]])
})

test('a disk that refuses leaves a gap, told once, and nothing else', async () => {
  let isFull = true
  let refused = 0
  const store: Store = {
    ...opened.store,
    write: async (queries) => {
      if (!isFull) return await opened.store.write(queries)
      refused++
      throw new LabError({ code: 'disk-full', kind: 'instrument', message: 'the disk is full' })
    },
  }
  const { recorder, lookers, clock, change, show, log } = stage(['view'], { store })
  change(true)
  await until(async () => lookers.size === 1, 'it looks')
  for (const time of [1, 2, 3]) {
    if (time === 3) await until(async () => refused === 2, 'two pieces were refused')
    if (time === 3) isFull = false
    show(time)
    await clock.advance(1000)
  }
  await recorder.stop()
  assert.equal(await timesOf(), [[3]])
  assert.is(log.lines.filter(({ message }) => /has a gap/.test(message)).length, 1)
})

test.run()
