/**
 * Flashing of boards with an ATmega32U4, which have USB on the chip: a touch at 1200 baud takes the firmware's port off
 * the bus, the boot loader comes with a port of its own, and with the firmware that of the firmware comes back.
 *
 * INVARIANT: the boot loader's port is looked for at the USB socket of the board alone; no other board's is taken for it.
 */
import { existsSync } from 'node:fs'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport, TransportConfig } from '../../transports/transport.ts'
import type { AvrBoard } from '../board-kinds.ts'
import { atSpeed, type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { writePaged } from '../paged.ts'
import { touch } from '../touch.ts'
import { portAt, socketOfPort, type UsbPlaces, type UsbPort, usbPlaces } from '../usb-ports.ts'
import { Avr109 } from './avr109.ts'

const LONGEST_MS = 60_000
/** From the touch until the boot loader's port is there; the board waits for 8 s there. */
const APPEARS_MS = 5000
/** From then until it may be opened: its device file is made before it is given to its group. */
const OPENS_MS = 2000
/** From the end until the firmware's port is there; firmware may have none. */
const RETURNS_MS = 5000
const POLL_MS = 50

/** Caterina on boards of Arduino and SparkFun; pressing reset twice has started it already. */
const LOADERS: readonly string[] = ['2341:0036', '2341:0037', '2a03:0036', '2a03:0037', '1b4f:9203', '1b4f:9205']

interface Found {
  readonly transport: TransportConfig
  readonly port?: UsbPort
}

export function createAvr109Flasher(places: UsbPlaces = usbPlaces): Flasher<AvrBoard> {
  /** Where its port was seen; a try that fails may leave the board in its boot loader, under another name. */
  let socket: string | undefined

  const find = async (job: FlashJob<AvrBoard>, signal: AbortSignal): Promise<Found> => {
    const { transport, openTransport } = job
    if (transport.kind !== 'serial') {
      if (transport.kind === 'emulated') await touch(transport, openTransport, signal)
      return { transport }
    }
    const { path } = transport
    // Another board may have the name once this one is in its boot loader: what was seen first counts.
    if (existsSync(path)) socket ??= await socketOfPort(path, places.sys)
    // A line that is not on USB leads to the board some other way, and is there all the time.
    if (socket === undefined) {
      if (existsSync(path)) return { transport }
      throw absent(path)
    }
    const before = await portAt(socket, places)
    if (before === undefined) throw absent(path)
    const at = (port: UsbPort): Found => ({ transport: { ...transport, path: port.path }, port })
    if (LOADERS.includes(before.id)) return at(before)
    await touch({ ...transport, path: before.path }, openTransport, signal)
    return at((await nextPort(job, socket, before, APPEARS_MS, undefined, signal)) ?? before)
  }

  /** What comes to the socket after the port before, by the given name where there is one; undefined when nothing does. */
  const nextPort = async (
    { clock }: FlashJob<AvrBoard>,
    where: string,
    before: UsbPort,
    ms: number,
    path: string | undefined,
    signal: AbortSignal,
  ): Promise<UsbPort | undefined> => {
    const untilMs = clock.monotonic() + ms
    for (;;) {
      const port = await portAt(where, places)
      if (port !== undefined && port.address !== before.address && existsSync(path ?? port.path)) return port
      if (clock.monotonic() > untilMs) return undefined
      await clock.sleep(POLL_MS, signal)
    }
  }

  /** The firmware's port is there for whoever opens it next. */
  const returned = async (job: FlashJob<AvrBoard>, { transport, port }: Found, signal: AbortSignal): Promise<void> => {
    if (transport.kind === 'emulated') await (await opened(job, transport, signal)).close()
    if (socket === undefined || port === undefined) return
    const { transport: asked, log } = job
    const path = asked.kind === 'serial' ? asked.path : undefined
    const next = await nextPort(job, socket, port, RETURNS_MS, path, signal)
    if (next === undefined) log.info({ place: placeOf(asked) }, 'the new firmware shows no serial port')
  }

  return {
    flash: async (job) => {
      let writing = false
      const late = () => flashFailed(`${placeOf(job.transport)} was not flashed within ${LONGEST_MS / 1000} s`, writing)
      return await oneTry(job, LONGEST_MS, late, async (within) => {
        job.onProgress({ step: 'connecting', done: 0, total: job.image.bytes })
        const found = await find(job, within)
        const result = await write(job, found, within, () => {
          writing = true
        })
        await returned(job, found, within)
        return result
      })
    },
  }
}

async function write(
  job: FlashJob<AvrBoard>,
  { transport }: Found,
  signal: AbortSignal,
  onWriting: () => void,
): Promise<FlashResult> {
  const { clock } = job
  const port = await opened(job, atSpeed(transport, job.board.baudRate), signal)
  try {
    return await writePaged(new Avr109({ transport: port, clock, signal, place: placeOf(transport) }), job, onWriting)
  } finally {
    await port.close()
  }
}

async function opened(
  { clock, openTransport }: FlashJob<AvrBoard>,
  transport: TransportConfig,
  signal: AbortSignal,
): Promise<Transport> {
  const untilMs = clock.monotonic() + OPENS_MS
  for (;;) {
    try {
      return await openTransport(transport, signal)
    } catch (thrown) {
      if (!(thrown instanceof LabError) || thrown.code !== 'transport-unreachable') throw thrown
      if (clock.monotonic() > untilMs) throw thrown
    }
    await clock.sleep(POLL_MS, signal)
  }
}

function absent(path: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `${path} is not there; plug the board in, or press its reset button twice within half a second, which starts its boot loader for 8 s: that has a name of its own below /dev/serial/by-id, and the same below by-path`,
  })
}
