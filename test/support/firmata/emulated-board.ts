import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createFirmataDriver } from '@fernlab/edge/drivers/firmata/firmata'
import type { WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { openEmulated } from '@fernlab/firmware-bridge/transports/emulated'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'

export interface OnBoard {
  readonly instrument: Instrument
  readonly device: WireDevice
  readonly clock: ManualClock
  readonly signal: AbortSignal
  /** What the node has sent since it was opened, in hex. */
  readonly sent: readonly string[]
  /** Goes on until the connection is lost or back; gives the reason. */
  until(up: boolean): Promise<string>
}

export interface OnBoardOptions {
  readonly config: object
  readonly wire?: (transport: Transport) => Transport
  /** Instead of the emulated board. */
  readonly device?: (clock: ManualClock) => WireDevice
  readonly isOpened?: boolean
  readonly clock?: ManualClock
}

const STEP_MS = 1
const LONGEST_MS = 300_000

/** Runs `work` with an instrument of the driver on an emulated board, on a clock that goes on as fast as it can. */
export async function onFirmataBoard(options: OnBoardOptions, work: (up: OnBoard) => Promise<void>): Promise<void> {
  const { config, wire = (transport) => transport, isOpened = true, clock = new ManualClock() } = options
  const device = options.device?.(clock) ?? createWorlds({ clock, instant: true }).world('firmata').device('board')
  const sent: string[] = []
  const openTransport = async () => {
    const transport = wire(openEmulated(device, clock))
    return {
      ...transport,
      write: async (bytes: Uint8Array) => {
        sent.push(Buffer.from(bytes).toString('hex'))
        await transport.write(bytes)
      },
    }
  }
  const instrument = await createFirmataDriver().create(
    { transport: { kind: 'emulated', world: 'firmata', device: 'board' }, ...config },
    { name: 'board', clock, log: silentLog, openTransport, configFolder: '.' },
  )
  const until = (wanted: boolean) =>
    new Promise<string>((resolve) => {
      instrument.onConnection?.((up, reason) => {
        if (up === wanted) resolve(reason ?? '')
      })
    })
  const tooLong = new AbortController()
  let isDone = false
  const goOn = async () => {
    while (!isDone) {
      await clock.advance(STEP_MS)
      if (clock.monotonic() > LONGEST_MS) tooLong.abort(new Error('it does not come to an end'))
    }
  }
  const all = async () => {
    const { signal } = tooLong
    try {
      if (isOpened) await instrument.open(signal)
      await work({ instrument, device, clock, signal, sent, until })
    } finally {
      await instrument.close()
      isDone = true
    }
  }
  await Promise.all([goOn(), all()])
}

/** A board that is written down: what it says to each message of the node's. */
export function scriptedBoard(
  said: (bytes: Uint8Array, say: (bytes: Uint8Array) => void) => void,
): (clock: ManualClock) => WireDevice {
  return () => ({
    name: 'board',
    connect: (end) => ({ receive: (bytes) => said(bytes, (given) => end.data(given)), close: () => {} }),
    setFault: () => {},
    hangUp: () => {},
  })
}
