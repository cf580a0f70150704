/** What flashing must do, as a suite to run on each boot loader: see firmware-bridge/flashing/flasher.ts. */
import type { BoardThreadData } from '@fernlab/firmware-bridge/boards/board-messages'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashJob, FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import type { FirmwareImage } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport, Transport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { banner, hearing, hello, helloVersion } from '../support/boards/hello.ts'
import { unoKind } from '../support/boards/uno-kind.ts'
import { suite } from '../support/suite.ts'

const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

/** Runs the contract on emulated Unos that have this in flash as they get power. */
export function flashContract(name: string, data: Partial<Omit<BoardThreadData, 'seed'>>): void {
  const test = suite(`flashing: ${name}`, { timeoutMs: 60_000 })

  /** A board of its own for each test. */
  const board = (firmware?: FirmwareImage) => {
    const worlds = createWorlds({
      clock: systemClock,
      uno: { ...data, ...(firmware === undefined ? {} : { firmware }) },
    })
    const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
    const progress: FlashProgress[] = []
    const job = (image: FirmwareImage, signal: AbortSignal, more: Partial<FlashJob> = {}): FlashJob => ({
      transport: TRANSPORT,
      openTransport,
      board: boardKind('uno'),
      image,
      onlyIfDifferent: false,
      clock: systemClock,
      log: silentLog,
      signal,
      onProgress: (each) => progress.push(each),
      ...more,
    })
    /** Fails unless the port is free and the firmware says its name after a reset. */
    const runs = async (wanted: string, signal: AbortSignal) => {
      const transport = await openTransport(TRANSPORT, signal)
      await hearing(transport)(wanted, signal)
      await transport.close()
    }
    return { job, progress, runs, openTransport, device: worlds.world('uno').device('board') }
  }

  test('writes to a blank board, reads it back, and the firmware runs', async ({ signal }) => {
    const { job, progress, runs } = board()
    assert.equal(await flash(job(hello, signal)), { written: true })
    assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'writing', 'verifying'])
    for (const step of ['writing', 'verifying']) {
      const dones = progress.filter((each) => each.step === step)
      assert.ok(dones.every(({ done }, i) => i === 0 || done > (dones[i - 1]?.done ?? 0)))
      assert.is(dones.at(-1)?.done, dones.at(-1)?.total)
    }
    await runs(banner(), signal)
  })

  test('the new firmware runs in place of the old one', async ({ signal }) => {
    const { job, runs } = board(hello)
    await runs(banner(), signal)
    await flash(job(helloVersion('2.3.4'), signal))
    await runs(banner('2.3.4'), signal)
  })

  test('leaves a board alone that has the firmware, if asked to', async ({ signal }) => {
    const { job, progress, runs } = board(hello)
    assert.equal(await flash(job(hello, signal, { onlyIfDifferent: true })), { written: false })
    assert.not.ok(progress.some(({ step }) => step === 'writing'))
    assert.equal(await flash(job(helloVersion('1.0.1'), signal, { onlyIfDifferent: true })), { written: true })
    await runs(banner('1.0.1'), signal)
  })

  test('a chip with another signature is left as it is', async ({ signal }) => {
    const { job, runs } = board(hello)
    const mega168 = { ...unoKind(), signatures: [[0x1e, 0x94, 0x06]] as const }
    const error = await failure(flash(job(helloVersion('2.0.0'), signal, { board: mega168 })))
    assert.is(error.code, 'board-differs')
    assert.match(error.message, /signature 1e 95 0f.* 1e 94 06; nothing was written/)
    await runs(banner(), signal)
  })

  test('a line that is cut in the middle of a page leaves the port free, says so, and flashing again helps', async ({
    signal,
  }) => {
    const { job, runs, openTransport } = board(hello)
    const cut = through(openTransport, (transport, written) => {
      if (written > 300) void transport.close()
    })
    const error = await failure(flash(job(helloVersion('2.0.0'), signal, { openTransport: cut.open }), 1))
    assert.is(error.code, 'flash-failed')
    assert.match(error.message, /no whole firmware now, flash it again/)
    assert.is(error.details.spoilt, true)
    assert.is(cut.open_, 0)
    await flash(job(helloVersion('2.0.1'), signal))
    await runs(banner('2.0.1'), signal)
  })

  test('is tried again after a line that was cut once', async ({ signal }) => {
    const { job, runs, openTransport } = board(hello)
    let cuts = 0
    const cut = through(openTransport, (transport, written) => {
      if (written > 300 && cuts === 0) {
        cuts += 1
        void transport.close()
      }
    })
    // A boot loader goes on by itself a second after the last word, which is soon where the machine is busy: then again.
    await flash(job(helloVersion('2.0.0'), signal, { openTransport: cut.open }), 8)
    assert.is(cuts, 1)
    await runs(banner('2.0.0'), signal)
  })

  test('a byte that is disturbed on its way is found when it is read back', async ({ signal }) => {
    const { job, openTransport } = board(hello)
    const disturbed: OpenTransport = async (config, within) => {
      const transport = await openTransport(config, within)
      return {
        ...transport,
        write: (bytes) =>
          transport.write(bytes.length > 100 ? bytes.map((byte, i) => (i === 60 ? byte ^ 4 : byte)) : bytes),
      }
    }
    const error = await failure(flash(job(hello, signal, { openTransport: disturbed })))
    assert.is(error.code, 'flash-failed')
    assert.match(error.message, /holds something else at 0x0034 than was written/)
  })

  test('a board that does not answer, or answers noise, is given up with what to check', async ({ signal }) => {
    const { job, device, runs } = board(hello)
    for (const kind of ['silent', 'garbage'] as const) {
      device.setFault({ kind })
      const error = await failure(flash(job(hello, signal), 1))
      assert.is(error.code, 'board-silent')
      assert.match(error.message, /no boot loader answers at the emulated uno board/)
    }
    device.setFault(undefined)
    await runs(banner(), signal)
  })

  test('whoever gives up gets the port back at once', async ({ signal }) => {
    const { job, openTransport } = board(hello)
    const stop = new AbortController()
    const watched = through(openTransport, (_, written) => {
      if (written > 300) stop.abort(new LabError({ code: 'enough', kind: 'caller', message: 'enough' }))
    })
    const error = await failure(flash(job(hello, stop.signal, { openTransport: watched.open })))
    assert.is(error.code, 'enough')
    await (await openTransport(TRANSPORT, signal)).close()
  })

  test('a board whose firmware resets it all the time can be flashed', async ({ signal }) => {
    // ldi r16, WDCE|WDE; sts WDTCSR, r16; ldi r16, WDE; sts WDTCSR, r16; rjmp self
    const words = Uint16Array.of(0xe108, 0x9300, 0x60, 0xe008, 0x9300, 0x60, 0xcfff)
    const data = new Uint8Array(words.buffer)
    const { job, runs } = board({ parts: [{ address: 0, data }], bytes: data.length, end: data.length })
    await flash(job(hello, signal))
    await runs(banner(), signal)
  })

  test.run()
}

/**
 * Flashes the Uno that the variable names, `{"board": "uno", "transport": {"kind": "serial", …}}`, for whoever has one;
 * where it is not set there is nothing. What the board had in its flash is gone then.
 */
export function flashRealBoard(variable: `FERNLAB_TEST_${string}`): void {
  const real = process.env[variable]
  if (real === undefined) return
  const { board, transport } = JSON.parse(real) as { board: string; transport: TransportConfig }
  const test = suite(`flashing: as ${variable} says`, { timeoutMs: 120_000 })
  const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
  const kind = boardKind(board)
  const flashed = (image: FirmwareImage, signal: AbortSignal, more: Partial<FlashJob> = {}) =>
    flash({
      transport,
      openTransport,
      board: kind,
      image,
      onlyIfDifferent: true,
      clock: systemClock,
      log: silentLog,
      signal,
      onProgress: () => {},
      ...more,
    })

  test('writes, reads back, and leaves alone what is there already', async ({ signal }) => {
    await flashed(hello, signal)
    assert.equal(await flashed(helloVersion('2.0.0'), signal), { written: true })
    assert.equal(await flashed(helloVersion('2.0.0'), signal), { written: false })
  })

  test('leaves a chip with another signature as it is', async ({ signal }) => {
    const other = { ...unoKind(), signatures: [[0x1e, 0x94, 0x06]] as const }
    assert.is((await failure(flashed(hello, signal, { board: other }))).code, 'board-differs')
    assert.equal(await flashed(helloVersion('2.0.0'), signal), { written: false })
  })

  test.run()
}

/** The same transport, with a look at how many bytes were written and how many of them are open. */
function through(open: OpenTransport, look: (transport: Transport, written: number) => void) {
  const state = {
    open_: 0,
    open: (async (config, signal) => {
      const transport = await open(config, signal)
      let written = 0
      state.open_ += 1
      let closed = false
      return {
        ...transport,
        write: async (bytes) => {
          written += bytes.length
          look(transport, written)
          await transport.write(bytes)
        },
        close: async () => {
          if (!closed) state.open_ -= 1
          closed = true
          await transport.close()
        },
      }
    }) satisfies OpenTransport as OpenTransport,
  }
  return state
}

async function failure(work: Promise<unknown>): Promise<LabError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LabError)) throw new Error(`rejected with ${String(error)}`)
  return error
}
