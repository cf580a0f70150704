/** Who a board is and what its pins can be. */

import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { FirmataBoard } from './firmata-board.ts'
import { askAnalogMapping, askCapabilities, askFirmware, askVersion, type PinModes } from './messages.ts'

export interface Greeting {
  readonly protocol: { readonly major: number; readonly minor: number }
  readonly firmware: { readonly name: string; readonly major: number; readonly minor: number }
  readonly pins: readonly PinModes[]
  /** Of each pin its analog channel. */
  readonly channels: readonly (number | undefined)[]
}

/** A boot loader waits for up to two seconds, and then the sketch blinks its version for as long. */
const GREETING_MS = 8000
const AGAIN_MS = 1000
/** The capability query came with 2.2. */
const FIRST = { major: 2, minor: 2 }

/** Asks until the board says who it is; rejects with `board-silent`, or `firmata-version` for one that is too old or too new. */
export async function greet(
  board: FirmataBoard,
  { name, clock }: { readonly name: string; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Greeting> {
  return await withDeadline(
    clock,
    GREETING_MS,
    signal,
    () => silent(name),
    async (within) => {
      const asking = { board, clock, signal: within }
      const version = await asked(asking, askVersion(), 'version')
      // What a board sends as it gets power may look like any version: one that is no use is heard twice.
      const protocol = isSpoken(version) ? version : await asked(asking, askVersion(), 'version')
      if (!isSpoken(protocol)) throw wrongVersion(name, protocol)
      const firmware = await asked(asking, askFirmware(), 'firmware')
      const { pins } = await asked(asking, askCapabilities(), 'capabilities')
      const { channels } = await asked(asking, askAnalogMapping(), 'analog-mapping')
      return { protocol, firmware, pins, channels }
    },
  )
}

interface Asking {
  readonly board: FirmataBoard
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Asks until it is answered. */
async function asked<K extends 'version' | 'firmware' | 'capabilities' | 'analog-mapping'>(
  { board, clock, signal }: Asking,
  question: Uint8Array,
  kind: K,
) {
  const answer = board.next(kind, () => true, signal)
  const again = new AbortController()
  const ask = async () => {
    while (!again.signal.aborted) {
      await board.send(question)
      await clock.sleep(AGAIN_MS, again.signal)
    }
  }
  // A question that cannot be sent means that the connection has ended, of which the answer tells.
  ask().catch(() => {})
  try {
    return await answer
  } finally {
    again.abort()
  }
}

const isSpoken = ({ major, minor }: Greeting['protocol']): boolean => major === FIRST.major && minor >= FIRST.minor

function silent(name: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'link',
    retry: 'later',
    message: `${name} did not say within ${GREETING_MS / 1000} s what it is; check that StandardFirmata (or another Firmata) runs on it, and the speed of the line: nearly all speak at 57600`,
  })
}

function wrongVersion(name: string, { major, minor }: Greeting['protocol']): LabError {
  return new LabError({
    code: 'firmata-version',
    kind: 'configuration',
    message: `${name} speaks Firmata ${major}.${minor}; this node speaks 2.2 to 2.x: flash a current StandardFirmata`,
  })
}
