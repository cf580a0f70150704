/** Boards with an ATmega32U4: as emulated ones, at serial ports that come and go, and by the real avrdude. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds, type WorldsOptions } from '@fernlab/firmware-bridge/emulated/worlds'
import { createAvr109Flasher } from '@fernlab/firmware-bridge/flashing/avr109/avr109-flasher'
import { type AvrBoard, boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashJob, FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import { writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { firmwareBytes } from '../../support/boards/uf2-file.ts'
import { usbTree } from '../../support/boards/usb-tree.ts'
import { suite } from '../../support/suite.ts'

const test = suite('flashing of a Leonardo', { timeoutMs: 120_000 })
const run = promisify(execFile)
/** Waits for what comes from other processes are over later. */
const patient: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() / 20 }
const TRANSPORT = { kind: 'emulated', world: 'leonardo', device: 'board' } as const
const SIZE = 28 * 1024
const kind = boardKind('leonardo') as AvrBoard
const firmware = firmwareBytes(5000)
const hexOf = (data: Uint8Array) =>
  writeIntelHex({ parts: [{ address: 0, data }], bytes: data.length, end: data.length })
const imageOf = (data: Uint8Array) => readFirmware(Buffer.from(hexOf(data)), kind, 'blink.hex')

/** A board with this in flash; blank without. */
function boardWith(held?: Uint8Array, leonardo: WorldsOptions['leonardo'] = {}) {
  const memory = new Uint8Array(SIZE).fill(0xff)
  if (held !== undefined) memory.set(held)
  const worlds = createWorlds({ clock: systemClock, leonardo: { instant: true, ...leonardo, flash: memory } })
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const progress: FlashProgress[] = []
  const job = (signal: AbortSignal, more: Partial<FlashJob> = {}): FlashJob<AvrBoard> => ({
    transport: TRANSPORT,
    openTransport,
    image: imageOf(firmware),
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: (each) => progress.push(each),
    ...more,
    board: kind,
  })
  const holds = (wanted: Uint8Array) => assert.ok(Buffer.from(wanted).equals(memory.subarray(0, wanted.length)))
  return { job, progress, holds, openTransport, device: worlds.world('leonardo').device('board') }
}

async function failure(work: Promise<unknown>): Promise<LabError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LabError)) throw new Error(`no LabError: ${error}`)
  return error
}

test('a board with firmware is touched, written and read back; what it has already is left alone', async ({
  signal,
}) => {
  const { job, progress, holds, openTransport } = boardWith(firmwareBytes(9000).reverse(), { instant: false })
  assert.equal(await flash(job(signal), 1), { written: true })
  assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'writing', 'verifying'])
  for (const step of ['writing', 'verifying'])
    assert.is(progress.filter((each) => each.step === step).at(-1)?.done, step === 'writing' ? 5120 : 5000)
  holds(firmware)
  progress.length = 0
  assert.equal(await flash(job(signal, { onlyIfDifferent: true }), 1), { written: false })
  assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'comparing'])
  const other = firmwareBytes(28 * 1024)
  assert.equal(await flash(job(signal, { onlyIfDifferent: true, image: imageOf(other) }), 1), { written: true })
  holds(other)
  // The firmware runs, and the port is free.
  await (await openTransport(TRANSPORT, signal)).close()
})

test('a blank board waits in its boot loader, and is written', async ({ signal }) => {
  const { job, holds } = boardWith()
  assert.equal(await flash(job(signal), 1), { written: true })
  holds(firmware)
})

test('a chip with another signature is left as it is', async ({ signal }) => {
  const held = firmwareBytes(700).reverse()
  const { job, holds } = boardWith(held, { signature: [0x1e, 0x94, 0x89] })
  const error = await failure(flash(job(signal), 1))
  assert.is(error.code, 'board-differs')
  assert.match(error.message, /signature 1e 94 89, .*Leonardo \(ATmega32U4\) is 1e 95 87; nothing was written/)
  holds(held)
})

test('a plug that is pulled while it is written is told, and tried again; whoever gives up gets the port back', async ({
  signal,
}) => {
  const { job, holds, device, openTransport } = boardWith(firmwareBytes(300))
  let pulls = 1
  const onProgress = ({ step, done }: FlashProgress) => {
    if (step !== 'writing' || done < 1000 || pulls === 0) return
    pulls -= 1
    device.hangUp()
  }
  const error = await failure(flash(job(signal, { onProgress }), 1))
  assert.is(error.code, 'flash-failed')
  assert.match(error.message, /no whole firmware now, flash it again/)
  pulls = 1
  assert.equal(await flash(job(signal, { onProgress })), { written: true })
  assert.is(pulls, 0)
  holds(firmware)
  const enough = new AbortController()
  const stop = ({ step }: FlashProgress) => step === 'writing' && enough.abort(new Error('enough'))
  const stopped = flash(job(enough.signal, { onProgress: stop }), 1)
  assert.is(String(await stopped.catch((thrown: Error) => thrown)), 'Error: enough')
  await (await openTransport(TRANSPORT, signal)).close()
  assert.equal(await flash(job(signal)), { written: true })
})

test('a byte that is disturbed on its way is found when it is read back', async ({ signal }) => {
  const { job, openTransport } = boardWith()
  const disturbed: FlashJob['openTransport'] = async (config, within) => {
    const opened = await openTransport(config, within)
    const bent = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 60 ? byte ^ 4 : byte))
    return { ...opened, write: (bytes) => opened.write(bytes.length > 100 ? bent(bytes) : bytes) }
  }
  const error = await failure(flash(job(signal, { openTransport: disturbed }), 1))
  assert.is(error.code, 'flash-failed')
  assert.match(error.message, /holds something else at 0x0038 than was written/)
})

test('a board that does not answer, or answers noise, is given up with what to press', async ({ signal }) => {
  const { job, device, holds } = boardWith(firmwareBytes(300))
  for (const fault of ['silent', 'garbage'] as const) {
    device.setFault({ kind: fault })
    const error = await failure(flash(job(signal), 1))
    assert.is(error.code, 'board-silent')
    assert.match(error.message, /press its reset button twice/)
  }
  holds(firmwareBytes(300))
})

test('a file for another chip, one that is too large, and one that is truncated are refused', () => {
  const refused = (data: Uint8Array, pattern: RegExp) => assert.throws(() => imageOf(data), pattern)
  const vectors = (count: number) => {
    const data = new Uint8Array(4 * count + 200)
    for (let i = 0; i < count; i++) data.set([0x0c, 0x94, 0x5c, 0x00], 4 * i)
    return data
  }
  imageOf(vectors(43))
  refused(vectors(26), /26 interrupt vectors, and an ATmega32U4 has 43; .* than that of the Arduino Leonardo/)
  refused(firmwareBytes(SIZE + 1), /28673 bytes\), and the Arduino Leonardo has 28672 bytes/)
  const cut = hexOf(firmware).slice(0, 4000)
  assert.throws(() => readFirmware(Buffer.from(cut), kind, 'blink.hex'), /blink\.hex/)
})

/** A serial port with the far end of a command at it. */
async function pseudoPort(far: string, signal: AbortSignal) {
  const link = join(await mkdtemp(join(tmpdir(), 'fernlab-leonardo-')), 'tty')
  const pty = spawn('socat', [`pty,raw,echo=0,link=${link}`, far], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(pty, 'close')
  while (!existsSync(link)) await systemClock.sleep(10, signal)
  const end = async () => {
    pty.kill()
    await ended
  }
  return { link, path: await realpath(link), ended, end }
}

const RUNNING = { idVendor: '2341', idProduct: '8036' }
const LOADER = { idVendor: '2341', idProduct: '0036' }

/** A machine whose board at socket 1-1.4 has a boot loader that is a real port, forwarded from an emulated board. */
async function machine(signal: AbortSignal) {
  const board = boardWith()
  const forwarded = await forwardPort({
    open: (within) => board.openTransport(TRANSPORT, within),
    port: 0,
    clock: systemClock,
    log: silentLog,
  })
  const [mine, theirs] = [await pseudoPort('STDIO', signal), await pseudoPort('STDIO', signal)]
  const loader = await pseudoPort(`TCP:${forwarded.host}:${forwarded.port}`, signal)
  const tree = usbTree()
  tree.plug('1-1.4', RUNNING)
  tree.port('1-1.4', mine.path)
  // Another board, which waits in its boot loader all the time.
  tree.plug('1-1.2', LOADER)
  tree.port('1-1.2', theirs.path)
  const opened: string[] = []
  const restart = (attributes: typeof RUNNING, path: string) => {
    tree.pull('1-1.4')
    tree.plug('1-1.4', attributes)
    tree.port('1-1.4', path)
  }
  const openTransport: FlashJob['openTransport'] = async (config, within) => {
    if (config.kind !== 'serial') throw new Error('no serial port')
    opened.push(`${config.path} ${config.baudRate}`)
    const transport = await board.openTransport(config, within)
    if (config.baudRate !== 1200) return transport
    const close = async () => {
      await transport.close()
      restart(LOADER, loader.path)
    }
    return { ...transport, close }
  }
  const flasher = createAvr109Flasher({ sys: tree.sys, dev: dirname(mine.path) })
  const transport = transportConfigSchema.parse({ kind: 'serial', path: mine.link })
  const close = async () => {
    await Promise.all([mine.end(), theirs.end(), loader.end(), forwarded.close()])
  }
  return { board, flasher, tree, mine, theirs, loader, opened, openTransport, transport, restart, close }
}

test('at a serial port the boot loader is found at the socket of the board, under whatever name, and the firmware’s port awaited', async ({
  signal,
}) => {
  const { board, flasher, mine, loader, opened, openTransport, transport, restart, close } = await machine(signal)
  const said: string[] = []
  const log = { ...silentLog, info: (_: object, message: string) => void said.push(message) }
  // The board leaves the bus by itself when it has all, and the line to it ends.
  const back = loader.ended.then(() => restart(RUNNING, mine.path))
  assert.equal(await flasher.flash(board.job(signal, { transport, openTransport, log, clock: patient })), {
    written: true,
  })
  await back
  board.holds(firmware)
  assert.equal(opened, [`${mine.path} 1200`, `${loader.path} 57600`])
  assert.equal(said, ['writing firmware'])
  await close()
})

test('a board whose reset was pressed twice is not touched; one that is not there is told, and no other taken for it', async ({
  signal,
}) => {
  const { board, flasher, tree, mine, loader, opened, openTransport, transport, restart, close } = await machine(signal)
  restart(LOADER, loader.path)
  // By its socket it is named alike, whichever of the two it shows.
  const bySocket = join(dirname(loader.link), 'by-path')
  await symlink(loader.path, bySocket)
  const back = loader.ended.then(async () => {
    restart(RUNNING, mine.path)
    await rm(bySocket)
    await symlink(mine.path, bySocket)
  })
  const byLoader = { ...transport, path: bySocket }
  assert.equal(await flasher.flash(board.job(signal, { transport: byLoader, openTransport, clock: patient })), {
    written: true,
  })
  await back
  assert.equal(
    opened.filter((each) => each.endsWith(' 1200')),
    [],
  )
  opened.length = 0
  const absent = { ...transport, path: '/dev/serial/by-id/usb-Arduino_LLC_Arduino_Leonardo-if00' }
  const another = createAvr109Flasher({ sys: tree.sys, dev: dirname(mine.path) })
  const error = await failure(another.flash(board.job(signal, { transport: absent, openTransport })))
  assert.is(error.code, 'board-silent')
  assert.match(error.message, /is not there; .*twice/)
  assert.equal(opened, [])
  await close()
})

test('a board that has taken over the name of the port meanwhile is neither touched nor written', async ({
  signal,
}) => {
  const { board, flasher, mine, theirs, loader, opened, openTransport, transport, restart, close } =
    await machine(signal)
  const busy: FlashJob['openTransport'] = async (config, within) => {
    if (config.kind === 'serial' && config.baudRate !== 1200)
      throw new LabError({ code: 'transport-closed', kind: 'link', retry: 'later', message: 'pulled' })
    return await openTransport(config, within)
  }
  const job = board.job(signal, { transport, openTransport, clock: patient })
  assert.is((await failure(flasher.flash({ ...job, openTransport: busy }))).message, 'pulled')
  await rm(mine.link)
  await symlink(theirs.path, mine.link)
  const back = loader.ended.then(() => restart(RUNNING, mine.path))
  assert.equal(await flasher.flash(job), { written: true })
  await back
  board.holds(firmware)
  assert.equal(opened, [`${mine.path} 1200`, `${loader.path} 57600`])
  await close()
})

test('avrdude writes the board through a forwarded port, verifies it, and refuses another chip', async ({ signal }) => {
  const board = boardWith()
  const forwarded = await forwardPort({
    open: (within) => board.openTransport(TRANSPORT, within),
    port: 0,
    clock: systemClock,
    log: silentLog,
  })
  const file = join(await mkdtemp(join(tmpdir(), 'fernlab-leonardo-')), 'new.hex')
  await writeFile(file, hexOf(firmware))
  const avrdude = (part: string) =>
    run(
      'avrdude',
      ['-p', part, '-c', 'avr109', '-P', `net:${forwarded.host}:${forwarded.port}`, '-U', `flash:w:${file}:i`],
      { signal },
    )
  const refused = await avrdude('m32u2').catch((error: { stderr: string }) => error)
  assert.match(refused.stderr, /signature.*1E 95 8A|Expected signature/i)
  board.holds(new Uint8Array(SIZE).fill(0xff))
  while (!(await isFree(board.openTransport, signal))) await systemClock.sleep(10, signal)
  const { stderr } = await avrdude('m32u4')
  assert.match(stderr, /5000 bytes of flash verified/)
  board.holds(firmware)
  await forwarded.close()
})

/** A board that restarts is on the bus again. */
async function isFree(open: FlashJob['openTransport'], signal: AbortSignal): Promise<boolean> {
  try {
    await (await open(TRANSPORT, signal)).close()
    return true
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'transport-unreachable') return false
    throw thrown
  }
}

test.run()
