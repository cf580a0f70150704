/**
 * Keeps a board on the firmware that node.yaml names for it.
 *
 * INVARIANTS: a driver gets no connection to a board that was not seen to hold its firmware, anew for each connection;
 * writing is not cut off by the deadline of whoever opens, only by the end of the node; a board that took the firmware
 * badly, or lost it again and again, is left alone for longer and longer, since its flash wears out.
 */
import type { BoardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import type { FirmwareImage } from '@fernlab/firmware-bridge/flashing/intel-hex'
import type { OpenTransport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'

export interface BaselineFirmwareOptions {
  readonly board: BoardKind
  readonly image: FirmwareImage
  readonly openTransport: OpenTransport
  readonly clock: Clock
  readonly log: Log
  /** How long an opening waits for the board before it is told how far it is; less than an instrument's own deadline. */
  readonly waitMs?: number
}

export interface BaselineFirmware {
  /** As the one below it, to a board that holds its firmware; rejects with the reason why it does not. */
  readonly openTransport: OpenTransport
  /** True while the board is compared or written, though whoever opened may have given up waiting. */
  isAtWork(): boolean
  /** Ends what is under way; the port is free then. */
  close(): Promise<void>
}

const WAIT_MS = 8000
const FIRST_REST_MS = 10 * 60_000
const LAST_REST_MS = 24 * 3_600_000
/** So often within a day a board is written before it rests: of its 10,000 times (DS40002061B, features) that leaves more than a year. */
const MOST_WRITES = 20
const DAY_MS = 24 * 3_600_000
/** How long what was seen counts for whoever opens; longer than any driver waits between two tries. */
const HELD_MS = 30_000

export function keepBaselineFirmware(options: BaselineFirmwareOptions): BaselineFirmware {
  const { board, image, openTransport, clock, log, waitMs = WAIT_MS } = options
  const stop = new AbortController()
  let underWay: Promise<void> | undefined
  let progress: FlashProgress | undefined
  let heldUntilMs = Number.NEGATIVE_INFINITY
  let writtenMs: number[] = []
  let restMs = FIRST_REST_MS
  let resting: { readonly untilMs: number; readonly error: LabError } | undefined

  const rest = (error: LabError) => {
    resting = { untilMs: clock.monotonic() + restMs, error }
    restMs = Math.min(restMs * 2, LAST_REST_MS)
  }

  const settle = async (transport: TransportConfig) => {
    try {
      const { written } = await flash({
        transport,
        openTransport,
        board,
        image,
        onlyIfDifferent: true,
        clock,
        log,
        signal: stop.signal,
        onProgress: (each) => {
          progress = each
        },
      })
      if (written) log.info({ board: board.name, bytes: image.bytes }, 'a board has its firmware now')
      const nowMs = clock.monotonic()
      heldUntilMs = nowMs + HELD_MS
      resting = undefined
      writtenMs = writtenMs.filter((at) => nowMs - at < DAY_MS)
      if (written) writtenMs.push(nowMs)
      if (writtenMs.length < MOST_WRITES) restMs = FIRST_REST_MS
      else if (written) rest(lostAgain(writtenMs.length))
    } catch (thrown) {
      const error = notFlashed(thrown)
      if (asLabError(thrown).details.spoilt === true) {
        rest(error)
      }
      throw error
    } finally {
      underWay = undefined
      progress = undefined
    }
  }

  return {
    openTransport: async (transport, signal) => {
      if (resting !== undefined && clock.monotonic() < resting.untilMs) throw resting.error
      if (clock.monotonic() > heldUntilMs) {
        underWay ??= settle(transport)
        await doneWithin(underWay, waitMs, clock, signal, () => inWork(progress))
      }
      // Another board may hang there when it is opened again, also where this opening fails.
      heldUntilMs = Number.NEGATIVE_INFINITY
      return await openTransport(transport, signal)
    },
    isAtWork: () => underWay !== undefined,
    close: async () => {
      stop.abort(new LabError({ code: 'node-closing', kind: 'link', retry: 'later', message: 'the node stops' }))
      await underWay?.catch(() => {})
    },
  }
}

async function doneWithin(
  work: Promise<void>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  late: () => LabError,
): Promise<void> {
  let cancel = () => {}
  const waited = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(late()))
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  try {
    await Promise.race([work, waited])
  } catch (thrown) {
    // Goes on without whoever opened; the next opening finds what has become of it.
    work.catch(() => {})
    throw thrown
  } finally {
    cancel()
  }
}

function inWork(progress: FlashProgress | undefined): LabError {
  const how =
    progress === undefined ? '' : `: ${progress.step}, ${Math.round((100 * progress.done) / progress.total)} %`
  return new LabError({
    code: 'firmware-in-work',
    kind: 'link',
    retry: 'later',
    message: `the board is being given its firmware${how}`,
  })
}

function lostAgain(times: number): LabError {
  return new LabError({
    code: 'firmware-lost-again',
    kind: 'instrument',
    retry: 'later',
    message: `the board had to be given its firmware ${times} times within a day, and is left alone now, for flash wears out; look for what writes something else to it, and at its cable`,
  })
}

function notFlashed(thrown: unknown): LabError {
  const cause = asLabError(thrown)
  return new LabError({
    code: 'firmware-not-held',
    kind: 'instrument',
    retry: 'later',
    message: `the board could not be given its firmware: ${cause.message}`,
    details: cause.details,
    cause,
  })
}
