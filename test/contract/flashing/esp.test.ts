/** Emulated boards with Espressif's chips, flashed by esptool-js. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWorlds, type WorldsOptions } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashJob, FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { type Transport, transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { espApp, espBanner, espFlash } from '../../support/boards/esp-firmware.ts'
import { hearing } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('flashing of Espressif boards', { timeoutMs: 120_000 })
const CHIPS = { esp32: 0, 'esp32-s3': 9, 'esp32-c3': 5 } as const

function board(kind: keyof typeof CHIPS, esp: WorldsOptions['esp'] = {}) {
  const worlds = createWorlds({ clock: systemClock, esp: { instant: true, ...esp } })
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const transport = { kind: 'emulated', world: kind, device: 'board' } as const
  const progress: FlashProgress[] = []
  const job = (bytes: Uint8Array, signal: AbortSignal, more: Partial<FlashJob> = {}): FlashJob => ({
    transport,
    openTransport,
    board: boardKind(kind),
    image: readFirmware(bytes, boardKind(kind), 'hello.bin'),
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: (each) => progress.push(each),
    ...more,
  })
  /** Fails unless the port is free and what is in flash starts after a reset. */
  const starts = async (wanted: string, signal: AbortSignal) => {
    const opened = await openTransport(transport, signal)
    const heard = hearing(opened)(wanted, signal)
    await reset(opened)
    await heard
    await opened.close()
  }
  return { job, progress, starts, openTransport, device: worlds.world(kind).device('board') }
}

async function reset(opened: Transport): Promise<void> {
  await opened.setLines?.({ dtr: false, rts: true })
  await opened.setLines?.({ dtr: false, rts: false })
}

async function failure(work: Promise<unknown>): Promise<LabError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LabError)) throw new Error(`no LabError: ${error}`)
  return error
}

for (const kind of ['esp32', 'esp32-s3', 'esp32-c3'] as const) {
  test(`${kind}: writes to a blank board, compares it, and the firmware starts; what it has already is left alone`, async ({
    signal,
  }) => {
    const { job, progress, starts } = board(kind)
    const first = espFlash(CHIPS[kind], '1.0.0', 120_000)
    assert.equal(await flash(job(first, signal)), { written: true })
    assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'writing', 'verifying'])
    for (const step of ['writing', 'verifying']) {
      const dones = progress.filter((each) => each.step === step).map(({ done }) => done)
      assert.equal(
        dones,
        [...dones].sort((a, b) => a - b),
      )
      assert.is(dones.at(-1), progress.at(-1)?.total)
    }
    await starts(espBanner('1.0.0'), signal)
    progress.length = 0
    assert.equal(await flash(job(first, signal, { onlyIfDifferent: true })), { written: false })
    assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'comparing'])
    await starts(espBanner('1.0.0'), signal)
    const app = espApp(CHIPS[kind], '1.0.1')
    assert.equal(await flash(job(app, signal, { onlyIfDifferent: true })), { written: true })
    await starts(espBanner('1.0.1'), signal)
  })
}

test('another chip, and less flash than the firmware needs, are left as they are', async ({ signal }) => {
  const { job, starts } = board('esp32-c3', { flash: espFlash(5, '0.0.1') })
  const s3 = { board: boardKind('esp32-s3'), image: readFirmware(espFlash(9, '1.0.0'), boardKind('esp32-s3'), 'a.bin') }
  const other = await failure(flash(job(espFlash(5, '1.0.0'), signal, s3), 1))
  assert.is(other.code, 'board-differs')
  assert.match(other.message, /is an ESP32-C3, and that of the ESP32-S3 board is an ESP32-S3; nothing was written/)
  await starts(espBanner('0.0.1'), signal)
  const small = board('esp32-c3', { flash: espFlash(5, '0.0.1'), flashBytes: 256 * 1024 })
  const large = await failure(flash(small.job(espFlash(5, '1.0.0', 250_000), signal), 1))
  assert.is(large.code, 'board-differs')
  assert.match(large.message, /has 256KB of flash, and the firmware ends at 0x4d.../)
  await small.starts(espBanner('0.0.1'), signal)
})

test('flash that is worn is found when it is compared', async ({ signal }) => {
  const { job } = board('esp32', { worn: [0x10100, 0x10101, 0x10102] })
  const error = await failure(flash(job(espFlash(0, '1.0.0'), signal), 1))
  assert.is(error.code, 'flash-failed')
  assert.match(error.message, /holds something else from 0x0000 on/)
  assert.is(error.details.spoilt, true)
})

test('a board that is silent, one that hangs up, and a person who has had enough, leave the port free', async ({
  signal,
}) => {
  const { job, starts, device } = board('esp32', { flash: espFlash(0, '0.0.1') })
  device.setFault({ kind: 'silent' })
  const silent = await failure(flash(job(espFlash(0, '1.0.0'), signal), 1))
  assert.is(silent.code, 'board-silent')
  assert.match(silent.message, /hold its BOOT button while you press RESET/)
  device.setFault(undefined)
  await starts(espBanner('0.0.1'), signal)

  let isCut = false
  const cut = (progress: FlashProgress) => {
    if (progress.step !== 'writing' || isCut) return
    isCut = true
    device.hangUp()
  }
  const lost = await failure(flash(job(espFlash(0, '1.0.0', 200_000), signal, { onProgress: cut }), 1))
  assert.is(lost.code, 'flash-failed')
  assert.match(lost.message, /no whole firmware now, flash it again/)

  const enough = new AbortController()
  const stop = ({ step }: FlashProgress) => {
    if (step === 'writing') enough.abort(new Error('enough'))
  }
  const stopped = flash(job(espFlash(0, '1.0.0', 200_000), enough.signal, { onProgress: stop }), 1)
  assert.is(String(await stopped.catch((error: Error) => error)), 'Error: enough')

  // Tried again after a line that is cut once.
  isCut = false
  assert.equal(await flash(job(espFlash(0, '1.0.2', 200_000), signal, { onProgress: cut })), { written: true })
  assert.ok(isCut)
  await starts(espBanner('1.0.2'), signal)
})

test('a board whose boot loader does not answer, and one that is not waited for any more, are let run what they have', async ({
  signal,
}) => {
  const { job, openTransport, device } = board('esp32', { flash: espFlash(0, '0.0.1') })
  let lines: unknown[] = []
  let atLines = () => {}
  const watched: FlashJob['openTransport'] = async (config, within) => {
    const opened = await openTransport(config, within)
    return {
      ...opened,
      setLines: async (asked) => {
        lines.push(asked)
        await opened.setLines?.(asked)
        atLines()
      },
    }
  }
  const isReset = () => {
    const last = lines.slice(-2)
    lines = []
    assert.equal(last, [
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ])
  }
  device.setFault({ kind: 'silent' })
  const firmware = espFlash(0, '1.0.0')
  assert.is((await failure(flash(job(firmware, signal, { openTransport: watched }), 1))).code, 'board-silent')
  isReset()
  const enough = new AbortController()
  atLines = () => enough.abort(new Error('enough'))
  const stopped = flash(job(firmware, enough.signal, { openTransport: watched }), 1)
  assert.is(String(await stopped.catch((error: Error) => error)), 'Error: enough')
  isReset()
})

test('a board that was written to in one try and is silent in the next has no whole firmware', async ({ signal }) => {
  const { job, device } = board('esp32', { flash: espFlash(0, '0.0.1') })
  const cut = ({ step }: FlashProgress) => {
    if (step !== 'writing') return
    device.setFault({ kind: 'silent' })
    device.hangUp()
  }
  const lost = await failure(flash(job(espFlash(0, '1.0.0', 200_000), signal, { onProgress: cut }), 2))
  assert.is(lost.code, 'board-silent')
  assert.match(lost.message, /no whole firmware now, flash it again/)
  assert.is(lost.details.spoilt, true)
})

test('over a serial port the speed is changed; one without modem lines needs a board that waits, and its firmware starts all the same', async ({
  signal,
}) => {
  const { job, starts, openTransport } = board('esp32', { startsInLoader: true })
  const firmware = espFlash(0, '1.0.3', 60_000)
  const { transport } = job(firmware, signal)
  const forwarded = await forwardPort({
    open: async (within) => {
      const opened = await openTransport(transport, within)
      const started = hearing(opened)(espBanner('1.0.3'), signal)
      return {
        ...opened,
        // The tool is gone as soon as it was told that the board starts.
        close: async () => {
          await started
          await opened.close()
        },
      }
    },
    port: 0,
    clock: systemClock,
    log: silentLog,
  })
  const path = join(await mkdtemp(join(tmpdir(), 'fernlab-esp-')), 'tty')
  const far = `TCP:${forwarded.host}:${forwarded.port}`
  const pty = spawn('socat', [`pty,raw,echo=0,link=${path}`, far], { stdio: 'inherit' })
  const ended = once(pty, 'close')
  while (!existsSync(path)) await systemClock.sleep(10, signal)
  const speeds: number[] = []
  const watched: FlashJob['openTransport'] = async (config, within) => {
    const opened = await openTransport(config, within)
    return {
      ...opened,
      setBaudRate: async (baudRate) => {
        speeds.push(baudRate)
        await opened.setBaudRate?.(baudRate)
      },
    }
  }
  const port = transportConfigSchema.parse({ kind: 'serial', path })
  assert.equal(await flash(job(firmware, signal, { transport: port, openTransport: watched })), { written: true })
  assert.is(speeds.at(-1), 460_800)
  pty.kill()
  await ended
  await forwarded.close()
  await starts(espBanner('1.0.3'), signal)
})

test.run()
