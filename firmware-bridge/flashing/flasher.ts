/** The port to what writes firmware to boards. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { OpenTransport, TransportConfig } from '../transports/transport.ts'
import { usbtmcText } from '../transports/usbtmc/config.ts'
import type { BoardKind } from './board-kinds.ts'
import type { FirmwareImage } from './intel-hex.ts'

/** Bytes that a step has dealt with, of all that it will. */
export interface FlashProgress {
  readonly step: 'connecting' | 'comparing' | 'writing' | 'verifying'
  readonly done: number
  readonly total: number
}

export interface FlashJob<Board extends BoardKind = BoardKind> {
  readonly transport: TransportConfig
  readonly openTransport: OpenTransport
  readonly board: Board
  readonly image: FirmwareImage
  /** Leaves a board alone whose flash holds the firmware already. */
  readonly onlyIfDifferent: boolean
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly onProgress: (progress: FlashProgress) => void
}

export interface FlashResult {
  /** False when the board held the firmware already. */
  readonly written: boolean
}

export interface Flasher<Board extends BoardKind> {
  /**
   * Tries once: when it resolves the firmware was read back from the board, and runs. The port is free again however it
   * ends. Rejects with `board-silent`, `board-differs`, `flash-failed`, what the transport says, or the signal's reason.
   */
  flash(job: FlashJob<Board>): Promise<FlashResult>
}

/** What ends by its signal has let go of the port by then; a port that does not close holds nobody up for longer. */
const LETTING_GO_MS = 2000

/** Runs one try within a deadline, and settles only when the try has let go of the port. */
export async function oneTry(
  { clock, signal }: FlashJob,
  ms: number,
  onTimeout: () => LabError,
  work: (signal: AbortSignal) => Promise<FlashResult>,
): Promise<FlashResult> {
  let underWay: Promise<unknown> = Promise.resolve()
  try {
    return await withDeadline(clock, ms, signal, onTimeout, (within) => {
      const result = work(within)
      // Its failure is that of the try, or came after it was given up.
      underWay = result.catch(() => {})
      return result
    })
  } finally {
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(LETTING_GO_MS, resolve)
    })
    await Promise.race([underWay, late])
    cancel()
  }
}

/** The port as people name it. */
export function placeOf(transport: TransportConfig): string {
  if (transport.kind === 'serial') return transport.path
  if (transport.kind === 'tcp') return `${transport.host}:${transport.port}`
  if (transport.kind === 'usbtmc') return `the USB instrument with ${usbtmcText(transport)}`
  return `the emulated ${transport.world} ${transport.device}`
}

/** A serial port as the boot loader has it, whatever the firmware's speed is. */
export function atSpeed(transport: TransportConfig, baudRate: number): TransportConfig {
  if (transport.kind !== 'serial') return transport
  return { ...transport, baudRate, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' }
}

/** What a board is left with whose writing did not end. */
export const SPOILT = '; the board has no whole firmware now, flash it again'

/** Writing has begun and did not end: `spoilt` is true, since the board has no whole firmware now. */
export function flashFailed(message: string, spoilt: boolean, cause?: unknown): LabError {
  const consequence = spoilt ? SPOILT : ''
  return new LabError({
    code: 'flash-failed',
    kind: 'instrument',
    retry: 'later',
    message: `${message}${consequence}`,
    details: { spoilt },
    ...(cause === undefined ? {} : { cause }),
  })
}
