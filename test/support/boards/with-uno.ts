import type { BoardCircuit } from '@fernlab/firmware-bridge/boards/circuits/board-circuit'
import { Uno } from '@fernlab/firmware-bridge/boards/uno'
import type { FirmwareImage } from '@fernlab/firmware-bridge/flashing/intel-hex'
import type { BoardSignal } from '@fernlab/firmware-bridge/link/description'
import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'

export interface OnUno {
  readonly uno: Uno
  readonly link: FirmwareLink
  readonly clock: ManualClock
  readonly signals: readonly BoardSignal[]
  readonly signal: AbortSignal
}

export interface WithUnoOptions {
  readonly firmware: FirmwareImage
  readonly circuit: BoardCircuit
  /** Of the firmware's line. */
  readonly bytesPerS: number
  /** How far the board and the link's clock go on together. */
  readonly stepMs: number
  /** In board time; a minute unless given. */
  readonly longestMs?: number
  readonly wire?: (transport: Transport) => Transport
}

/** Board, wire and link in board time, as fast as the processor: the machine's load changes nothing. */
export async function withUno(options: WithUnoOptions, work: (up: OnUno) => Promise<void>): Promise<void> {
  const { firmware, circuit, bytesPerS, stepMs, longestMs = 60_000, wire = (transport) => transport } = options
  const uno = new Uno({ firmware, circuit })
  const clock = new ManualClock()
  let listener: (bytes: Uint8Array) => void = () => {}
  const transport: Transport = {
    write: async (bytes) => uno.receive(bytes),
    onData: (each) => {
      listener = each
    },
    onClose: () => {},
    close: async () => {},
  }
  const link = new FirmwareLink({ board: 'uno', transport: wire(transport), clock, bytesPerS })
  const tooLong = new AbortController()
  let isDone = false
  const goOn = async () => {
    while (!isDone) {
      const sent = uno.advance(stepMs / 1000)
      if (sent.length > 0) listener(sent)
      await clock.advance(stepMs)
      if (clock.monotonic() > longestMs) tooLong.abort(new Error('the board does not come to an end'))
    }
  }
  const all = async () => {
    const { signal } = tooLong
    try {
      await link.connect(signal)
      await work({ uno, link, clock, signal, signals: (await link.describe(signal)).signals })
    } finally {
      isDone = true
      await link.close()
    }
  }
  await Promise.all([goOn(), all()])
}
