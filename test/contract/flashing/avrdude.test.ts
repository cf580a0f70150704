/** The real avrdude: through a forwarded port by itself, and behind our own port to flashers. */
import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import { writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { Stk500 } from '@fernlab/firmware-bridge/flashing/stk500/stk500'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { banner, hearing, hello, helloVersion } from '../../support/boards/hello.ts'
import { buildOptiboot } from '../../support/boards/toolchain.ts'
import { unoKind } from '../../support/boards/uno-kind.ts'
import { suite } from '../../support/suite.ts'

const test = suite('avrdude', { timeoutMs: 30_000 })
const run = promisify(execFile)
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

const boardWith = (uno: NonNullable<Parameters<typeof createWorlds>[0]['uno']>) => {
  const worlds = createWorlds({ clock: systemClock, uno })
  const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const runs = async (wanted: string, signal: AbortSignal) => {
    const transport = await openTransport(TRANSPORT, signal)
    await hearing(transport)(wanted, signal)
    await transport.close()
  }
  return { openTransport, runs, device: worlds.world('uno').device('board') }
}

/**
 * Waits until the boot loader answers. On a busy machine a board blinks for longer than avrdude waits before it says SYNC,
 * and gets the rest of its words out of step.
 */
async function awake({ setLines: _, ...transport }: Transport, signal: AbortSignal): Promise<void> {
  await new Stk500({ transport, clock: systemClock, signal, place: 'the board' }).connect()
}

// avrdude says SYNC every quarter of a second without waiting for answers: blinking must be over before the second one.
const bootLoader = await buildOptiboot(1)
for (const [name, uno] of [
  ['a board that answers by itself', { firmware: hello }],
  ['optiboot', { firmware: hello, bootLoader }],
] as const) {
  test(`flashes ${name} through a forwarded port; the new firmware runs`, async ({ signal }) => {
    const { openTransport, runs } = boardWith(uno)
    // A board that is not there yet as avrdude says SYNC answers all of it at once, and avrdude is out of step.
    await runs(banner(), signal)
    const forwarded = await forwardPort({
      open: async (within) => {
        const transport = await openTransport(TRANSPORT, within)
        await awake(transport, within)
        return transport
      },
      port: 0,
      clock: systemClock,
      log: silentLog,
    })
    const file = join(await mkdtemp(join(tmpdir(), 'fernlab-avrdude-')), 'new.hex')
    await writeFile(file, writeIntelHex(helloVersion('3.2.1')))
    const port = `net:${forwarded.host}:${forwarded.port}`
    const args = ['-p', 'atmega328p', '-c', 'arduino', '-P', port, '-D', '-U', `flash:w:${file}:i`]
    const { stderr } = await run('avrdude', args, { signal })
    assert.match(stderr, /bytes of flash verified/)
    await runs(banner('3.2.1'), signal)
    await forwarded.close()
  })
}

test('behind the port to flashers it writes, tells its progress, and leaves the port free', async ({ signal }) => {
  const { openTransport, runs } = boardWith({ firmware: hello })
  await runs(banner(), signal)
  const progress: FlashProgress[] = []
  const job = {
    transport: TRANSPORT,
    openTransport,
    board: { ...unoKind(), method: 'avrdude' as const },
    image: helloVersion('4.0.0', 8000),
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: (each: FlashProgress) => progress.push(each),
  }
  assert.equal(await flash(job), { written: true })
  assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'writing', 'verifying'])
  await runs(banner('4.0.0'), signal)
})

test('a board that has the firmware already is compared and left alone, and one that has other is written', async ({
  signal,
}) => {
  const { openTransport, runs } = boardWith({ firmware: hello })
  await runs(banner(), signal)
  const steps = new Set<string>()
  const job = {
    transport: TRANSPORT,
    openTransport,
    board: { ...unoKind(), method: 'avrdude' as const },
    image: hello,
    onlyIfDifferent: true,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: ({ step }: FlashProgress) => void steps.add(step),
  }
  assert.equal(await flash(job, 1), { written: false })
  assert.equal([...steps], ['connecting', 'comparing'])
  assert.equal(await flash({ ...job, image: helloVersion('4.0.1') }, 1), { written: true })
  await runs(banner('4.0.1'), signal)
  assert.equal(await flash({ ...job, image: helloVersion('4.0.1') }, 1), { written: false })
})

test('says what avrdude said when it fails, and when it is missing', async ({ signal }) => {
  const { openTransport, runs, device } = boardWith({ firmware: hello })
  await runs(banner(), signal)
  const job = {
    transport: TRANSPORT,
    openTransport,
    board: { ...unoKind(), method: 'avrdude' as const, avrdude: { part: 'atmega168', programmer: 'arduino' } },
    image: hello,
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: () => {},
  }
  const refused = await flash(job, 1).catch((error: Error) => error)
  assert.match(String(refused), /avrdude ended with 1 at the emulated uno board: .*signature/i)
  await runs(banner(), signal)
  const path = process.env.PATH
  process.env.PATH = '/nonexistent'
  try {
    const missing = await flash(job, 1).catch((error: Error) => error)
    assert.match(String(missing), /apt install avrdude/)
  } finally {
    process.env.PATH = path
  }
  device.setFault({ kind: 'silent' })
  const stop = new AbortController()
  const aborted = flash({ ...job, signal: stop.signal }, 1).catch((error: Error) => error)
  await systemClock.sleep(300)
  stop.abort(new Error('enough'))
  assert.is(String(await aborted), 'Error: enough')
  device.setFault(undefined)
  await runs(banner(), signal)
})

test('a forwarded port has one user at a time, is closed by either side, and says when it can not listen', async ({
  signal,
}) => {
  const { openTransport, runs, device } = boardWith({ firmware: hello })
  const open = (within: AbortSignal) => openTransport(TRANSPORT, within)
  const forwarded = await forwardPort({ open, port: 0, clock: systemClock, log: silentLog })
  const tool = () =>
    new Promise<{ said: () => string; ended: Promise<void>; end: () => void }>((resolve) => {
      const socket = connect(forwarded.port, forwarded.host)
      let said = ''
      socket.on('data', (bytes) => {
        said += bytes
      })
      const ended = new Promise<void>((done) => socket.once('close', () => done()))
      socket.once('connect', () => resolve({ said: () => said, ended, end: () => socket.destroy() }))
    })
  const first = await tool()
  const second = await tool()
  await second.ended
  while (!first.said().endsWith(banner())) await systemClock.sleep(20, signal)
  device.hangUp()
  await first.ended
  const third = await tool()
  await systemClock.sleep(50)
  third.end()
  await third.ended
  await assert_rejects(
    forwardPort({ open, port: forwarded.port, clock: systemClock, log: silentLog }),
    /nothing can listen at 127\.0\.0\.1/,
  )
  await forwarded.close()
  await runs(banner(), signal)
})

async function assert_rejects(work: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.match(String(error), message)
}

test.run()
