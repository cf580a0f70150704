/**
 * Taking a bench that a lock is of, and giving it back.
 *
 * INVARIANTS: what may have been taken has its way back in `undo` before it is asked for, and a bench in its group until the
 * lock stands: who closes the client meanwhile gives it back; a lock that stands has a link that is kept, for its node gives
 * away what nobody is there for; one that was lost is renewed no more, and is given back already.
 */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import { AskedHold, isUnknown, LASTS_MS } from './asked-hold.ts'
import type { Connection } from './connection.ts'
import type { BenchHold, Directory } from './directory.ts'

/** Services that are reached over one connection: a bench's, or a node's others. */
export interface Group {
  readonly node: string
  readonly names: Set<string>
  readonly connection: Connection
  /** Of its bench, while it is locked. */
  lease: string | undefined
  /** Told that the lease has ended. */
  onLost: ((error: LabError) => void) | undefined
  /** Its bench is being taken or given back, or may have been taken without a word of it: it is given back before the next. */
  unknown: { giveBack(): Promise<void> } | undefined
  /**
   * What is given back, without an id of its taking, of services that may have been locked: it would end what is locked
   * meanwhile. Never rejects.
   */
  unnamed: Promise<unknown> | undefined
}

/** Why it is given back: the lock is wanted no more, or it could not be taken whole. */
export type Ending = 'released' | 'not taken'

export interface Wanted {
  /** What for; empty for no reason. */
  readonly reason: string
  /** Aborted when any of it is lost. */
  readonly lost: AbortController
  /** Given up with it: then nobody waits for what is given back. */
  readonly signal: AbortSignal
  /** Aborted when the client is closed. */
  readonly closing: AbortSignal
  /** Told of what is given back with nobody waiting; it never rejects. */
  readonly owe: (work: Promise<unknown>) => void
  readonly clock: Clock
}

export interface Taking extends Wanted {
  readonly group: Group
  /** What gives it back, in the order of taking. */
  readonly undo: ((why: Ending) => Promise<void>)[]
}

export interface TakeBench extends Taking {
  readonly directory: Directory
  readonly bench: string
  /** The live session that has the bench, where it is not to be taken. */
  readonly session: string | undefined
}

const RENEW_MS = 60_000

/** Whether the error says that a lease is no more. */
export const endsLease = ({ code }: LabError): boolean =>
  ['lease-ended', 'lease-invalid', 'hold-ended', 'session-not-active', 'not-found'].includes(code)

/** Takes the bench, and shows its node that it is taken; `group.unknown` is for whoever takes all of a lock to clear. */
export async function takeBench({
  directory,
  clock,
  group,
  bench,
  undo,
  lost,
  session,
  reason,
  signal,
  closing,
}: TakeBench): Promise<void> {
  if (group.onLost !== undefined) {
    throw new LabError({ code: 'locked-already', kind: 'caller', message: `this program has ${bench} already` })
  }
  let cancel = () => {}
  let letGo = () => {}
  let asked: AskedHold | undefined
  const onLost = (error: LabError) => {
    over()
    if (group.unknown === asked) group.unknown = undefined
    lost.abort(error)
  }
  // Once it was lost the program may have taken the bench again: that taking is left alone.
  const isMine = () => group.onLost === onLost
  const over = () => {
    cancel()
    letGo()
    if (!isMine()) return
    group.lease = undefined
    group.onLost = undefined
  }
  group.onLost = onLost
  try {
    await unlessAborted(group.unknown?.giveBack() ?? Promise.resolve(), signal)
  } catch (thrown) {
    over()
    throw thrown
  }
  const takenMs = clock.monotonic()
  asked = session === undefined ? new AskedHold({ directory, bench, reason, clock }) : undefined
  group.unknown = asked
  const taking: Promise<BenchHold> = asked?.take(signal) ?? Promise.resolve({ lease: `session/${session}` })
  undo.push(async (why) => {
    if (!isMine()) return
    if (why === 'not taken' && signal.aborted) {
      const wasShown = group.lease !== undefined
      over()
      group.unknown = asked
      const { connection } = group
      // A link that goes on showing the hold would be closed with it, whoever uses it by then.
      const left = wasShown ? connection.renew().catch(() => connection.leave()) : Promise.resolve()
      void asked?.giveBackLater(unlessAborted(left, closing).catch(isNoMatter), closing)
      return
    }
    const taken = await taking.catch((thrown: unknown) => {
      if (isUnknown(asLabError(thrown))) void asked?.giveBackLater(Promise.resolve(), closing)
      else if (isMine()) group.unknown = undefined
      return undefined
    })
    if (!isMine()) return
    over()
    if (taken === undefined) return
    // What it went on with goes on without it.
    const isOthers = session !== undefined || (why === 'not taken' && taken.isResumed === true)
    const back = isOthers ? withoutHold(group) : giveBack(directory, group, bench, taken.lease)
    const isBack = back.catch(() => {}) // told to whoever gives it back
    group.unknown = { giveBack: () => isBack }
    await back
  })
  const { lease } = await taking
  group.lease = lease
  const renew = (sinceMs: number) => {
    cancel = clock.after(RENEW_MS, () => {
      const askedMs = clock.monotonic()
      directory.hold(bench, { lease }).then(
        () => {
          if (isMine()) renew(askedMs)
        },
        (thrown: unknown) => {
          const error = asLabError(thrown)
          if (!isMine()) return
          // While its hub is away the node itself goes on holding it, until its time is over.
          if (endsLease(error) || (error.kind === 'caller' && error.retry === 'never')) group.onLost?.(error)
          else if (clock.monotonic() - sinceMs < LASTS_MS) renew(sinceMs)
          else group.onLost?.(notRenewed(bench, error))
        },
      )
    })
  }
  await unlessAborted(group.connection.renew(), signal)
  letGo = await kept(group.connection, signal)
  if (!isMine()) letGo()
  lost.signal.throwIfAborted()
  if (session === undefined) renew(takenMs)
}

/** Has a link there until what it returns is called. */
export async function kept(connection: Connection, signal: AbortSignal): Promise<() => void> {
  const keeping = connection.keep()
  try {
    return await unlessAborted(keeping, signal)
  } catch (thrown) {
    if (signal.aborted) void keeping.then((letGo) => letGo()).catch(() => {}) // nobody wants it any more
    throw thrown
  }
}

const notRenewed = (bench: string, { message }: LabError) =>
  new LabError({
    code: 'lease-ended',
    kind: 'caller',
    message: `${bench} could not be held on for ${LASTS_MS / 60_000} minutes: ${message}`,
  })

/** The client is closed, and its links with it. */
const isNoMatter = () => {}

/** The node closes links of a hold that has ended: this one goes on without it. */
async function withoutHold({ connection }: Group): Promise<void> {
  await connection.renew().catch(() => {}) // a hub that is away says so next
}

async function giveBack(directory: Directory, group: Group, bench: string, lease: string): Promise<void> {
  const { connection } = group
  await withoutHold(group)
  try {
    await directory.release(bench, { lease })
  } catch (thrown) {
    const error = asLabError(thrown)
    if (endsLease(error)) return
    if (error.kind !== 'link') throw thrown
    // Then the node frees the bench by itself, a moment after its holder has gone.
    await connection.leave()
  }
}
