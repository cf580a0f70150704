/** What discovery says: what is there, whether it is well, and what to do. */

import type { UsbtmcName } from '@fernlab/firmware-bridge/transports/usbtmc/config'
import type { Refusal } from './person.ts'

/** `off`: not there or not switched on, and nothing needs it. */
export type Verdict = 'ok' | 'off' | 'look' | 'broken'

export interface Finding {
  /** The heading that it stands below. */
  readonly group: string
  readonly what: string
  readonly verdict: Verdict
  readonly detail: string
  /** The detail in its parts, each a sentence or a value by itself, and what is amiss: for who says it in another language. */
  readonly facts?: readonly string[]
  readonly trouble?: string
  /** Lines to type, or to put into the file that the detail names. */
  readonly lines?: readonly string[]
  /** Present when it is hardware that an instrument can be made of. */
  readonly find?: Find
}

export type FindKind = 'serial' | 'i2c-bus' | 'i2c-chip' | 'gpio' | 'one-wire' | 'usbtmc' | 'camera'

/** Hardware that was found. */
export interface Find {
  /** Names it in `fernlab node add-instrument`: `serial:usb-Arduino_Uno-if00`. */
  readonly id: string
  readonly kind: FindKind
  readonly title: string
  /** What a config should name it by: the name that stays the same when it is plugged in again, where there is one. */
  readonly path: string
  /** The claims that name it (`Claim.key`), one for each of its names; one that ends in `:` is all that begin so. */
  readonly keys: readonly string[]
  /** What names a USB instrument in a config. */
  readonly name?: UsbtmcName
  /** Instruments of node.yaml that have it. */
  readonly instruments: readonly string[]
  /** What is known of the board, for the entry that is made of it. */
  readonly board?: string
  /** Chips that its address can be, as `driver: i2c` names them. */
  readonly chips?: readonly string[]
}

/** A find before node.yaml was asked who has it, and what stands beside it. */
export interface Seen {
  readonly group: string
  readonly find: Omit<Find, 'instruments'>
  readonly facts: readonly string[]
  /** What keeps it from being used. */
  readonly trouble?: {
    readonly verdict: Verdict
    readonly detail: string
    readonly lines?: readonly string[]
    /** What of it is a matter of permission. */
    readonly refusal?: Refusal
  }
}

/** How a bus that was left alone is told. */
export const notAsked = (why: string): string => `not asked who is there: ${why}`

/** What a finding says, put together from its parts. */
export function told(facts: readonly string[], trouble?: string): Pick<Finding, 'detail' | 'facts' | 'trouble'> {
  const detail = facts.join(', ')
  return trouble === undefined ? { detail, facts } : { detail: `${detail}: ${trouble}`, facts, trouble }
}
