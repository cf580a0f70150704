/** The ServiceSource port: whatever has services on this node tells of them here, and the gate stands before all of them. */
import type { AskedLog, ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { AnnouncedService, ServiceRight } from '@fernlab/shared/contracts/services'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'

/** Who is at the other end of a link, as long as the link is there; a new token may give it other rights. */
export interface Caller {
  /** The person's id; {@link LOCAL} for whoever owns the node's machine. Locks are this one's. */
  readonly person: string
  /** Which of the person's programs, across its links and those of nobody else's; all that give no name are one. */
  readonly program: string
  /** Whoever owns the node's machine. */
  readonly isOwner: boolean
  /** The token is one that the node itself has signed, and no hub. */
  readonly issuedHere: boolean
  /** The lease of a bench that the token belongs to. */
  readonly hold: { readonly bench: string; readonly lease: string } | undefined
  may(right: ServiceRight, service: string): boolean
  /** Throws when the token has ended or was revoked, also for what goes on after the link has ended. */
  require(): void
  /** Called once, when the link has ended. */
  onEnd(listener: () => void): void
}

/** Whoever can open the node's own socket: it is nobody's but the node's account's. */
export const LOCAL = 'local'

/** The node's own service asks for rights itself, service by service. */
export const NODE_SERVICE = 'node'

export interface ServiceSource {
  /** As they are now; the lock table adds who has locked them. */
  list(): readonly AnnouncedService[]
  /** What does the calls of one link; rights and locks were asked for already, at each call. */
  find(name: string, caller: Caller): Service | undefined
  /** What its process has written, where it has one of its own, without anything that clients may not see. */
  logOf?(name: string, asked: AskedLog): ServiceLog | undefined
  /** Told when `list` would say something else. */
  onChange(listener: () => void): void
}
