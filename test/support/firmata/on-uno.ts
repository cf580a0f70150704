import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createFirmataDriver } from '@fernlab/edge/drivers/firmata/firmata'
import { type BoardCircuit, noCircuit } from '@fernlab/firmware-bridge/boards/circuits/board-circuit'
import { Uno } from '@fernlab/firmware-bridge/boards/uno'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { standardFirmata } from './standard-firmata.ts'

export interface FirmataOnUno {
  readonly uno: Uno
  readonly clock: ManualClock
  readonly instrument: Instrument
  readonly signal: AbortSignal
  /** Resets the board behind the node's back. */
  reset(): void
}

export interface OnUnoOptions {
  readonly config: object
  readonly circuit?: BoardCircuit
  /** False: the test opens it. */
  readonly isOpened?: boolean
}

const STEP_MS = 0.5
/** In board time. */
const LONGEST_MS = 120_000

/**
 * Runs `work` with an instrument of the driver on an emulated Uno that runs StandardFirmata. Board, wire and driver are in
 * board time, as fast as the processor: the machine's load changes nothing. Opening the port resets the board.
 */
export async function withFirmataOnUno(
  { config, circuit = noCircuit, isOpened = true }: OnUnoOptions,
  work: (up: FirmataOnUno) => Promise<void>,
): Promise<void> {
  const uno = new Uno({ firmware: await standardFirmata(), circuit })
  const clock = new ManualClock()
  const listeners = new Set<(bytes: Uint8Array) => void>()
  const openTransport = async (): Promise<Transport> => {
    uno.reset()
    const own = new Set<(bytes: Uint8Array) => void>()
    return {
      write: async (bytes) => uno.receive(bytes),
      onData: (listener) => {
        own.add(listener)
        listeners.add(listener)
      },
      onClose: () => {},
      close: async () => {
        for (const listener of own) listeners.delete(listener)
      },
    }
  }
  const instrument = await createFirmataDriver().create(
    { transport: { kind: 'serial', path: '/dev/ttyACM0', baudRate: 57_600 }, ...config },
    { name: 'uno', clock, log: silentLog, openTransport, configFolder: '.' },
  )
  const tooLong = new AbortController()
  let isDone = false
  const goOn = async () => {
    while (!isDone) {
      const sent = uno.advance(STEP_MS / 1000)
      if (sent.length > 0) for (const listener of [...listeners]) listener(sent)
      await clock.advance(STEP_MS)
      if (clock.monotonic() > LONGEST_MS) tooLong.abort(new Error('the board does not come to an end'))
    }
  }
  const all = async () => {
    const { signal } = tooLong
    try {
      if (isOpened) await instrument.open(signal)
      await work({ uno, clock, instrument, signal, reset: () => uno.reset() })
    } finally {
      await instrument.close()
      isDone = true
    }
  }
  await Promise.all([goOn(), all()])
}
