/**
 * The gate: every link to this node's services ends here, and each call is asked who makes it.
 *
 * INVARIANTS: before a sign-in has succeeded a link does nothing, carries at most UNSIGNED_BYTES and has SIGN_IN_MS; rights
 * are those of the newest token of the link, judged at each call; a token that ends, is revoked, or whose hold ends, closes
 * its links; what somebody locks nobody else goes on using; when a link has ended, all that belongs to it is freed; one
 * person has at most MOST_OF_A_PERSON links, and with all of them MOST_OF_PERSON_BYTES of the node's memory beside what
 * each link has of its own.
 */
import type { Revoked, ServiceRight, ServiceToken } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { members, splitMethod } from '@fernlab/shared/rpc/contract/members'
import { FOLLOW_HZ, type Service, serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { busy, isRecord } from '@fernlab/shared/rpc/errors'
import { MOST_OF_PERSON_BYTES, MOST_TOGETHER_BYTES } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import { discard } from '@fernlab/shared/rpc/peer/served-streams'
import { isAsyncIterable } from '@fernlab/shared/rpc/peer/serving'
import { countedStream } from '../counted-stream.ts'
import type { Viewer } from '../locks/seen-lock.ts'
import { PersonShares } from '../person-shares.ts'
import { type Caller, LOCAL, NODE_SERVICE } from '../service-source.ts'
import { Attendance, type AttendanceListener } from './attendance.ts'
import { LinkCaller } from './link-caller.ts'
import type { EndedOwn, OwnTokens } from './own-tokens.ts'
import type { Revocations } from './revocations.ts'
import { SharedTurns } from './shared-turns.ts'
import { judgeToken, refused, type TokenTimes, type TrustedKey, verifyToken } from './tokens.ts'
import { boundedUntil } from './unsigned-link.ts'

type Hold = NonNullable<Caller['hold']>

export interface GateOptions {
  readonly audience: string
  readonly keys: () => readonly TrustedKey[]
  readonly revocations: Revocations
  /** Of the node's own tokens, those that were ended. */
  readonly ownTokens: Pick<OwnTokens, 'end' | 'isEnded'>
  /** Now, as who signs with such a key has it. */
  readonly timeOf: (issuer: string) => TokenTimes
  /** Whether the lease is still the bench's. */
  readonly isHeld: (hold: Hold) => boolean
  /** What is said of a hold that is no more. */
  readonly holdEnded: (hold: Hold) => LabError
  /** See `LinkCallerOptions`. */
  readonly benchToTake: (service: string, issuer: string) => string | undefined
  readonly find: (name: string, caller: Caller) => Service | undefined
  /** Throws when somebody else has locked the service. */
  readonly requireUnlocked: (service: string, caller: Viewer) => void
  readonly attendance: AttendanceListener
  readonly clock: Clock
  readonly log: Log
}

export interface Gate {
  /**
   * Takes a link: of the machine's owner, or of somebody who has to sign in. `enter` is called with its first sign-in, which
   * fails with what that throws. The returned function leaves the link with that error.
   */
  take(link: Link, from: 'owner' | 'anyone', enter?: () => void): (error: LabError) => void
  /** Ends tokens before their time; resolves with how many links were closed. */
  revoke(revoked: Revoked): Promise<number>
  /** The same of tokens that the node has signed itself, all of those so far. */
  revokeOwn(ended: EndedOwn): Promise<number>
  /** Closes the links of holds that are no more. */
  judgeHolds(): void
  /** Ends what others have under way of these services where somebody has locked them, all but reading: `service-locked`. */
  judgeLocks(services: readonly string[]): void
  /** How much is under way. */
  readonly counts: { readonly links: number; readonly calls: number; readonly lingering: number }
  close(): Promise<void>
}

const SIGN_IN_MS = 5000
const UNSIGNED_BYTES = 64 * 1024
const GRACE_S = 10
/** Whoever owns the machine has as many as there is room for. */
const MOST_OF_A_PERSON = 32
/** What one person follows at the node, taken together. */
export const MOST_READINGS_HZ = 1000
const FOLLOW = `/${members.follow}`
/** Of the node's own service, by all links of a person; a program needs one for each taking of locks. */
export const MOST_NODE_STREAMS = 64
const MOST_GRACE_S = 600
const MOST_PROGRAM_CHARS = 64
/** Services of which locks have changed. */
type Locked = ReadonlySet<string>
const reading: readonly string[] = [members.contract, members.read, members.follow, members.events]

export function createGate(options: GateOptions): Gate {
  const { audience, revocations, ownTokens, clock, log } = options
  const lingering = new Lingering({ clock })
  const open = new Map<LinkCaller, Peer>()
  const isRevoked = (token: ServiceToken) => revocations.has(token) || ownTokens.isEnded(token)
  const isGood = (token: ServiceToken) =>
    !isRevoked(token) &&
    token.exp * 1000 > options.timeOf(token.iss).nowMs &&
    (token.hold === undefined || options.isHeld(token.hold))
  const attendance = new Attendance({
    listener: options.attendance,
    isGood,
    isRevoked,
    clock,
  })
  const memory = new PersonShares(MOST_OF_PERSON_BYTES, MOST_TOGETHER_BYTES, () =>
    busy(
      `at most ${MOST_OF_PERSON_BYTES} bytes of one person's messages, by all links, and half of what is free of ${MOST_TOGETHER_BYTES}, may be under way at this node`,
    ),
  )
  const rates = new PersonShares(MOST_READINGS_HZ, Number.POSITIVE_INFINITY, () =>
    busy(`what you follow at this node is read ${MOST_READINGS_HZ} times a second together, and may be no more`),
  )

  const nodeStreams = new PersonShares(MOST_NODE_STREAMS, Number.POSITIVE_INFINITY, () =>
    busy(`you have ${MOST_NODE_STREAMS} streams of this node itself under way, and may have no more: leave some`),
  )
  const turns = new SharedTurns({ clock, soon: (callback) => void setImmediate(callback) })

  const end = (caller: LinkCaller) => {
    open.delete(caller)
    caller.end()
    attendance.leave(caller)
  }
  const requireRoom = (caller: LinkCaller, person: string) => {
    if (caller.isSignedIn || attendance.linksOf(person) < MOST_OF_A_PERSON) return
    const message = `one person has at most ${MOST_OF_A_PERSON} links to the services of a node; close some`
    throw refused('too-many-clients', message, 'later')
  }
  /** Once it is kept, with how many links it has closed. */
  const closeRevoked = async (kept: Promise<void>): Promise<number> => {
    const over = [...open.keys()].filter((caller) => caller.isRevoked)
    for (const caller of over) closeOver(caller, whyOver(caller.hold))
    // Of those whose link has broken, nobody is waited for either, and nothing goes on for them.
    attendance.endRevoked()
    lingering.endOver()
    await kept
    return over.length
  }
  /** A token that ended with its hold says so. */
  const whyOver = (hold: Caller['hold']): string =>
    hold === undefined || options.isHeld(hold) ? 'token-revoked' : `hold-ended: ${options.holdEnded(hold).message}`
  const closeOver = (caller: LinkCaller, why: string) => {
    caller.isOver = true
    void open.get(caller)?.close(why)
  }

  const signIn = async (caller: LinkCaller, params: unknown, enter: () => void) => {
    const { token: text, graceS = GRACE_S, program } = isRecord(params) ? params : {}
    if (program !== undefined && (typeof program !== 'string' || program.length > MOST_PROGRAM_CHARS)) {
      throw refused('call-invalid', `program must be a text of at most ${MOST_PROGRAM_CHARS} characters`)
    }
    const named = (): void => {
      if (program !== undefined) caller.programName = program
    }
    if (typeof graceS !== 'number' || !(graceS >= 0 && graceS <= MOST_GRACE_S)) {
      throw refused('call-invalid', `graceS must be a number of seconds from 0 to ${MOST_GRACE_S}`)
    }
    // The owner of the machine needs no token, and may show that of a hold.
    if (text === undefined && caller.isOwner) {
      named()
      attendance.enter(caller)
      return caller.answer()
    }
    const token = await verifyToken(text, options.keys())
    const times = options.timeOf(token.iss)
    judgeToken(token, audience, times)
    // What it stood on says more than that the token ended with it.
    if (token.hold !== undefined && !options.isHeld(token.hold)) throw options.holdEnded(token.hold)
    if (isRevoked(token)) throw refused('token-revoked', 'this token was revoked')
    if (caller.isSignedIn && !caller.isOwner && token.sub !== caller.person) {
      throw refused('signed-in-as-another', 'this link is signed in as somebody else: open another one')
    }
    if (!open.has(caller)) throw refused('link-ended', 'the link has ended')
    requireRoom(caller, token.sub)
    if (!caller.isSignedIn) enter()
    named()
    caller.take(token, graceS * 1000)
    attendance.enter(caller)
    if (!caller.isOwner) {
      caller.endsIn(clock.after(Math.max(0, token.exp * 1000 - times.nowMs), () => closeOver(caller, 'token-expired')))
    }
    return caller.answer()
  }

  const nodeStream = async (caller: LinkCaller, open: () => unknown): Promise<unknown> => {
    const over = nodeStreams.take(caller.person)
    try {
      const stream = await open()
      if (isAsyncIterable(stream)) return countedStream(stream, over)
      over()
      return stream
    } catch (thrown) {
      over()
      throw thrown
    }
  }
  const serveOf = (caller: LinkCaller) => {
    const serve = serveServices((name) => options.find(name, caller), matchesPattern)
    const asked = (method: string, params: unknown, context: Parameters<typeof serve>[2]) => {
      requireMay(caller, method)
      if (context.wantsStream && splitMethod(method)?.service === NODE_SERVICE) {
        return nodeStream(caller, () => serve(method, params, context))
      }
      if (!method.endsWith(FOLLOW)) return serve(method, params, context)
      const followed = serve(method, params, context)
      if (!isAsyncIterable(followed)) return followed
      try {
        return countedStream(followed, rates.take(caller.person, readsHz(caller, method, params)))
      } catch (thrown) {
        discard(followed)
        throw thrown
      }
    }
    const onward = (method: string) => {
      requireMay(caller, method)
      return serve.onward?.(method)
    }
    return Object.assign(asked, { onward })
  }
  /** How often the followed are read for it; of what hardware samples by itself nothing is. */
  const readsHz = (caller: LinkCaller, method: string, params: unknown): number => {
    const { rateHz = FOLLOW_HZ, signals } = isRecord(params) ? params : {}
    const service = options.find(splitMethod(method)?.service ?? '', caller)
    return service?.gives?.(signals as readonly string[]) === 'blocks' ? 1 : (rateHz as number)
  }
  /** Throws when the caller has not, or no more, what the call takes. */
  const requireMay = (caller: LinkCaller, method: string): void => {
    caller.require()
    const split = splitMethod(method)
    if (split === undefined || split.service === NODE_SERVICE) return
    const right: ServiceRight = reading.includes(split.member) ? 'read' : 'use'
    caller.requireRight(right, split.service)
    if (right === 'use') options.requireUnlocked(split.service, caller)
  }

  const refusedByLock = (services: Locked, method: string, viewer: Viewer): LabError | undefined => {
    const split = splitMethod(method)
    if (split === undefined || !services.has(split.service) || reading.includes(split.member)) return undefined
    try {
      options.requireUnlocked(split.service, viewer)
      return undefined
    } catch (thrown) {
      return asLabError(thrown)
    }
  }

  const toJudge = new Set<string>()
  const judgeLocks = () => {
    const services: Locked = new Set(toJudge)
    toJudge.clear()
    for (const [caller, peer] of [...open]) {
      if (caller.isSignedIn) peer.judge((method) => refusedByLock(services, method, caller))
    }
    // Those whose link is gone; nobody is told anything by them.
    const nobody = (person: string): Viewer => ({ person, may: () => false })
    lingering.judge(({ method, owner }) => refusedByLock(services, method, nobody(owner)) !== undefined)
  }

  return {
    take: (link, from, enter = () => {}) => {
      const isOwner = from === 'owner'
      const { audience, timeOf, isHeld, holdEnded, benchToTake } = options
      const caller = new LinkCaller({ isOwner, audience, isRevoked, timeOf, isHeld, holdEnded, benchToTake, log })
      const person = () => (caller.isSignedIn ? caller.person : '')
      const peer = createPeer({
        link: isOwner ? link : boundedUntil(link, UNSIGNED_BYTES, () => caller.isSignedIn),
        clock,
        lingering,
        // What was revoked leaves nothing behind.
        owner: () => (caller.isSignedIn && !caller.isOver ? caller.person : undefined),
        isOver: () => caller.isRevoked || (caller.hold !== undefined && !isHeld(caller.hold)),
        mayResume: (method) => requireMay(caller, method),
        signIn: (params) => signIn(caller, params, enter),
        takeRoom: (bytes) => memory.take(person(), bytes),
        turns: turns.of(person),
        serve: serveOf(caller),
        onTrouble: (error, method) => log.debug({ method, error: error.message }, 'a client of services had trouble'),
      })
      open.set(caller, peer)
      if (isOwner) {
        caller.own(LOCAL)
        attendance.enter(caller)
      } else caller.endsIn(clock.after(SIGN_IN_MS, () => void peer.close('nobody signed in within 5 s')))
      peer.onEnd(() => end(caller))
      return (error) => {
        peer.judge(() => error)
        void peer.close(error.code)
      }
    },
    // As the hub has the time: tokens that it signs later are others.
    revoke: (revoked) => closeRevoked(revocations.add(revoked, options.timeOf('').nowMs)),
    revokeOwn: (ended) => closeRevoked(ownTokens.end(ended)),
    judgeHolds: () => {
      for (const caller of open.keys()) {
        if (caller.hold === undefined || options.isHeld(caller.hold)) continue
        if (caller.isOwner) {
          caller.dropHold()
          attendance.enter(caller)
        } else closeOver(caller, `hold-ended: ${options.holdEnded(caller.hold).message}`)
      }
      lingering.endOver()
    },
    judgeLocks: (services) => {
      // Once for all that is locked together.
      if (toJudge.size === 0 && services.length > 0) queueMicrotask(judgeLocks)
      for (const service of services) toJudge.add(service)
    },
    get counts() {
      let calls = 0
      for (const peer of open.values()) calls += peer.underWay.served
      return { links: open.size, calls, lingering: lingering.size }
    },
    close: async () => {
      lingering.close()
      await Promise.all([...open.values()].map((peer) => peer.close('the node stops'))).catch((thrown: unknown) => {
        log.warn({ error: asLabError(thrown).message }, 'links of services did not end well')
      })
    },
  }
}
