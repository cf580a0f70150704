/** The nodes of this site and their benches: who may connect, what is there, who drives a bench directly. */

import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench, Lease, NodeInfo } from '@fernlab/shared/contracts/api'
import type { ExchangeWay } from '@fernlab/shared/contracts/direct-use'
import type { BenchState } from '@fernlab/shared/contracts/run-state'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import type { CatalogueLab } from '../catalogue/catalogue.ts'

/** A bench that has what a lab needs. */
export interface CompatibleBench {
  /** `<node>.<bench>`. */
  readonly id: string
  readonly node: string
  readonly title?: string
  readonly state: BenchState
  readonly reason?: string
  /** The instrument that serves each part of the bench. */
  readonly parts: Readonly<Record<string, InstrumentSpec>>
}

export interface EnrollmentCode {
  readonly node: string
  readonly code: string
  readonly expiresAt: string
}

/** A node's sign-in to the broker; the password is given out once and kept as a hash. */
export interface NodeCredential {
  readonly username: string
  readonly password: string
}

export interface Exchange {
  readonly lease?: string
  readonly set?: Readonly<Record<string, number | string | boolean>> | undefined
  readonly read?: readonly string[] | undefined
  /** Also what instruments said before their calibrations. */
  readonly raw?: true
}

/** Who sets and reads on a bench, how and from where. */
export interface ExchangedBy {
  readonly person: string
  readonly way: ExchangeWay
  readonly address?: string | undefined
  /** Resolves when it is its turn; what it rejects with refuses it. */
  readonly turn?: () => Promise<void>
}

export interface Readings {
  readonly [key: string]: {
    readonly value: number | string | boolean
    readonly unit: string
    readonly time: string
    readonly raw?: number | string | boolean
  }
}

/** Who looks at a bench, and whether this person may know who drives it. */
export interface BenchViewer {
  readonly personId: string
  readonly seesPeople: boolean
}

export interface TakenFor {
  /** Where its holder is. */
  readonly address?: string | undefined
  /** What for; empty is none. */
  readonly reason?: string | undefined
  /** Of the taking, its holder's own: who asks again by it has what was taken already. */
  readonly key?: string | undefined
}

export interface Fleet {
  /** As `viewer` sees them: a bench that this person drives is `mine`. */
  benches(viewer?: BenchViewer): Promise<Bench[]>
  bench(id: string, viewer?: BenchViewer): Promise<Bench | undefined>
  nodes(): Promise<NodeInfo[]>
  node(id: string): Promise<NodeInfo | undefined>
  /** Benches, up or not, whose parts serve the lab and whose node lets the lab use them. */
  compatibleBenches(lab: CatalogueLab): Promise<CompatibleBench[]>
  /** For each known bench, what it lacks to serve the lab; a bench that serves is not listed. */
  whyNotCompatible(lab: CatalogueLab): Promise<ReadonlyMap<string, readonly Issue[]>>
  /** A one-time code that lets one machine sign in as that node; valid for a quarter of an hour. */
  createEnrollment(node: string, by: string): Promise<EnrollmentCode>
  /** Trades a code for the node's credential; throws `enrollment-refused` for a wrong, used or expired code. */
  enroll(code: string, node: string): Promise<NodeCredential>
  /** A new credential; the old one stops working and its connection is cut at once. */
  rotate(node: string, by: string): Promise<NodeCredential>
  /** Shuts the node out at once; its unfinished runs end as interrupted. */
  revoke(node: string, by: string): Promise<void>
  /** Takes a free bench for direct use; throws `bench-busy`, `node-offline`, `bench-unknown`. */
  takeLease(bench: string, holder: string, ttlS: number, more?: TakenFor): Promise<Lease>
  /** For its holder; a lease of somebody else is `not-found`. A `reason` takes the place of the one before, and is in the audit log where it is another. */
  renewLease(
    bench: string,
    lease: string,
    ttlS: number,
    by: string,
    reason?: string,
  ): Promise<{ lease: string; expiresAt: string }>
  /** `safe`: whether the bench reached its safe state; `by` who gives it back, its holder or others of the staff. */
  releaseLease(bench: string, lease: string, by: string): Promise<{ safe: boolean }>
  /**
   * Ends whoever's hold of it, for a reason that is in the audit log; throws `not-found` where nobody has taken it, and
   * `hold-changed` where it is held since another time than `since`, RFC 3339.
   */
  endLease(bench: string, reason: string, by: string, since?: string): Promise<{ safe: boolean }>
  /** Ends what the holder has of benches; where the node does not answer it runs out. */
  releaseAllOf(holder: string, by: string): Promise<void>
  /** Sets, then reads, on the node; setting needs the lease, of which only its holder makes use. Keys are `part.signal`. */
  exchange(bench: string, exchange: Exchange, by: ExchangedBy): Promise<Readings>
  /** Calls back when a node or bench came, went or changed; returns how to stop. */
  onChange(listener: (what: { node: string; bench?: string }) => void): () => void
}
