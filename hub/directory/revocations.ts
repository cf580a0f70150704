/**
 * Ends tokens for services with what they stand on: the sign-in or API token of who asked, that person's rights, the lease.
 *
 * INVARIANTS: what has ended is written down before a node is told; a node is told within moments where it is connected,
 * and otherwise as soon as it is, again with each start of its process, until the token is over by itself.
 */
import type { Revoked } from '@fernlab/shared/contracts/services'
import { readSessionHold } from '@fernlab/shared/contracts/session-hold'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../accounts/caller.ts'
import { createLossLog } from '../broker/loss-log.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { Holds } from './holds.ts'
import type { IssuedToken, IssuedTokens } from './issued-tokens.ts'
import { mayHave } from './rights.ts'

/** After this long everything is looked at again: what ends by itself, and what could not be written or told. */
const AGAIN_MS = 60_000
/** A node that did not answer is told again after this. */
const RETRY_MS = 2_000
/** Of one message. */
const MOST_TOLD = 1000

export interface Revocations {
  /** Somebody's sign-ins, tokens or rights may have changed. */
  personMoved(personId: string): void
  /** A node or one of its benches may have changed. */
  nodeMoved(node: string): void
  close(): Promise<void>
}

export interface RevocationsOptions {
  readonly issued: IssuedTokens
  readonly book: Pick<FleetBook, 'nodes'>
  readonly holds: Pick<Holds, 'hasEnded'>
  readonly calls: Pick<NodeCalls, 'call'>
  readonly signInHolder: (signIn: string) => Promise<Caller | undefined>
  readonly clock: Clock
  readonly log: Log
}

/** Looks at everything that was given out once it begins. */
export function createRevocations(options: RevocationsOptions): Revocations {
  const { issued, book, holds, calls, signInHolder, clock, log } = options
  const losses = createLossLog(log)
  /** The start of a node's process that knows of the end of a token. */
  const toldTo = new WeakMap<IssuedToken, string | null>()
  const telling = new Set<string>()
  const cancels = new Map<string, () => void>()
  const underWay = new Set<Promise<void>>()
  let closed = false

  const leaseEnded = ({ hold }: IssuedToken) => hold !== undefined && holds.hasEnded(hold)
  const hasEnded = async (token: IssuedToken, holders: Map<string, Promise<Caller | undefined>>) => {
    if (leaseEnded(token)) return true
    const holder = holders.get(token.signIn) ?? signInHolder(token.signIn)
    holders.set(token.signIn, holder)
    const now = await holder
    return now?.personId !== token.personId || !mayHave(now, token.rights, isOfSession(token))
  }

  const review = async (concerns: (token: IssuedToken) => boolean): Promise<void> => {
    const open = issued.all().filter((token) => token.revokedAt === undefined && concerns(token))
    const holders = new Map<string, Promise<Caller | undefined>>()
    const judged = await Promise.all(open.map((token) => hasEnded(token, holders)))
    const ended = open.filter((_, at) => judged[at])
    if (ended.length === 0) return
    await issued.revoke(ended)
    log.info({ tokens: ended.length }, 'tokens for services have ended with what they stood on')
    for (const node of new Set(ended.map(({ node }) => node))) tell(node)
  }

  const untold = (node: string) => {
    const boot = book.nodes.get(node)?.bootId ?? null
    return issued.all().filter((token) => {
      return token.node === node && token.revokedAt !== undefined && toldTo.get(token) !== boot
    })
  }
  const tellNow = async (node: string): Promise<void> => {
    const boot = book.nodes.get(node)?.bootId ?? null
    const ended = untold(node).slice(0, MOST_TOLD)
    try {
      await calls.call(node, 'services.revoke', messageOf(ended, leaseEnded))
      losses.recovered(node, { node }, 'a node can be told again of tokens that have ended')
    } catch (error) {
      const { code, message } = asLabError(error)
      // It is of a version without services: no token opens it.
      if (code !== 'method-unknown') {
        losses.lost(node, { node, error: message }, 'a node could not be told of tokens that have ended')
        later(node, RETRY_MS, () => tell(node))
        return
      }
    }
    for (const token of ended) toldTo.set(token, boot)
  }
  const tell = (node: string): void => {
    if (closed || telling.has(node) || book.nodes.get(node)?.ready !== true || untold(node).length === 0) return
    telling.add(node)
    void tellNow(node).finally(() => {
      telling.delete(node)
      // What has ended meanwhile; after a failure it waits.
      if (!cancels.has(node)) tell(node)
    })
  }

  const later = (key: string, ms: number, act: () => void) => {
    cancels.get(key)?.()
    if (closed) return
    const cancel = clock.after(ms, () => {
      cancels.delete(key)
      act()
    })
    cancels.set(key, cancel)
  }
  const follow = (work: Promise<void>) => {
    const followed = work
      .then(
        () => losses.recovered('', {}, 'ends of tokens for services are kept again'),
        (error: unknown) => {
          const { message } = asLabError(error)
          losses.lost('', { error: message }, 'the end of a token for services could not be kept; it is tried again')
          later('', RETRY_MS, all)
        },
      )
      .finally(() => underWay.delete(followed))
    underWay.add(followed)
  }
  const all = () => {
    later('', AGAIN_MS, all)
    follow(review(() => true).then(() => issued.clear()))
  }
  all()

  return {
    personMoved: (personId) => {
      if (!closed) follow(review((token) => token.personId === personId))
    },
    nodeMoved: (node) => {
      if (closed) return
      if (issued.all().some((token) => token.node === node && token.revokedAt === undefined && leaseEnded(token))) {
        follow(review((token) => token.node === node && leaseEnded(token)))
      }
      tell(node)
    },
    close: async () => {
      closed = true
      for (const cancel of cancels.values()) cancel()
      await Promise.all(underWay)
    },
  }
}

const isOfSession = ({ hold }: IssuedToken) => hold !== undefined && readSessionHold(hold.lease) !== undefined

function messageOf(ended: readonly IssuedToken[], leaseEnded: (token: IssuedToken) => boolean): Revoked {
  const leases = ended.flatMap((token) => (token.hold !== undefined && leaseEnded(token) ? [token.hold.lease] : []))
  return { tokens: ended.map(({ id }) => id), ...(leases.length === 0 ? {} : { holds: [...new Set(leases)] }) }
}
