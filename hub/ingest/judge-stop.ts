/** What a stop document makes of its run. Pure. */
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import type { Outcome, RestOfSession } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import { restFrom } from '../sessions/stage.ts'

/** How often a run is queued again after an interruption or for a bench that failed it: three attempts in all. */
export const MOST_RESTARTS = 2

export type Verdict =
  | { readonly kind: 'final'; readonly outcome: Omit<Outcome, 'endedAt'> }
  /** It starts again: it was interrupted, or its bench failed it or was booked, for which its person gets the next one. */
  | {
      readonly kind: 'again'
      readonly why: 'interrupted' | 'broken' | 'unready' | 'bumped'
      readonly reason: string
      readonly cleanUp: StopDoc['cleanUp']
    }

/** What an instrument does that fails under its user: none of it comes from what was asked of it. */
const breakdowns: ReadonlySet<string> = new Set([
  'instrument-lost',
  'instrument-offline',
  'instrument-disconnected',
  'instrument-silent',
  'instrument-out-of-step',
  'instrument-stream-ended',
])

/** Whether an error says that an instrument failed under its user. */
export const isBreakdown = (code: string | undefined): boolean => breakdowns.has(code ?? '')

/** Whether it may start again: its protocol says so, or its person had not touched the bench yet. */
export function mayStartAgain({
  restart,
  restarts,
  cancelRequested,
  session,
}: Pick<OpenRun, 'restart' | 'restarts' | 'cancelRequested' | 'session'>): boolean {
  return !cancelRequested && restarts < MOST_RESTARTS && (restart === 'safe' || session?.stage === 'preparing')
}

type Prepared = Pick<OpenRun, 'booking' | 'session' | 'cancelRequested'>

/** Its person has booked a bench that is not theirs yet, and may have another one instead. */
export const isBeingPrepared = ({ booking, session, cancelRequested }: Prepared): boolean =>
  booking !== null && session?.stage === 'preparing' && !cancelRequested

/** What its person is told of a bench that could not be made ready. */
export function whenUnready(
  { unready, restarts }: Pick<OpenRun, 'unready' | 'restarts'>,
  { bench, why, hasOther }: { readonly bench: string; readonly why: string; readonly hasOther: boolean },
): { readonly again: boolean; readonly reason: string } {
  const benches = inWords([...unready, bench])
  if (!hasOther) {
    const reason = `we are sorry: ${benches} could not be made ready (${why}), and no other bench is left`
    return { again: false, reason }
  }
  if (restarts >= MOST_RESTARTS)
    return { again: false, reason: `we are sorry: ${benches} could not be made ready (${why})` }
  return { again: true, reason: `we are sorry: ${benches} could not be made ready (${why}); you get another bench` }
}

/** What is said when the benches that let somebody down were the last that came in time. */
export const whenNoneCame = ({ unready }: Pick<OpenRun, 'unready'>): string =>
  unready.length === 0
    ? 'we are sorry: the bench broke down, and no other one came free in time'
    : `we are sorry: ${inWords(unready)} could not be made ready, and no other one came free in time`

/** `a`, `a and b`, `a, b and c`. */
const inWords = (benches: readonly string[]): string =>
  [benches.slice(0, -1).join(', '), ...benches.slice(-1)].filter((part) => part !== '').join(' and ')

type Bumped = Pick<OpenRun, 'restart' | 'session' | 'cancelRequested'> & {
  readonly bumped?: OpenRun['bumped']
}

/** It was asked to leave its bench for a booking. */
export const isLeaving = ({ bumped, cancelRequested }: Pick<Bumped, 'bumped' | 'cancelRequested'>): boolean =>
  bumped !== undefined && cancelRequested

const sorryBack = 'we are sorry: the bench was booked; you are back at the head of the queue'
const sorryRest =
  'we are sorry: the bench was booked; what was recorded is kept, and the rest of your time is next in line'
const sorryLate = 'we are sorry: the bench was booked; what was recorded is kept'
const sorryOnce = 'we are sorry: the bench was booked, and this can not start again; what was recorded is kept'

/** What becomes of a run that has left: it starts again where that is safe, or its person had not begun. */
export function whenLeft({ restart, session, bumped }: Bumped): {
  readonly again: boolean
  readonly reason: string
  readonly rest: RestOfSession | undefined
} {
  const again = session === undefined ? restart === 'safe' : session.stage === 'preparing'
  if (again) return { again, reason: sorryBack, rest: undefined }
  if (session === undefined) return { again, reason: sorryOnce, rest: undefined }
  const seconds = bumped === undefined ? 0 : restFrom(session, bumped.atMs)
  if (seconds === 0) return { again, reason: sorryLate, rest: undefined }
  return { again, reason: sorryRest, rest: { seconds, from: 'queue' } }
}

export type Cut = Pick<OpenRun, 'session' | 'cancelRequested'>

/** When somebody lost a bench, and what else counts then. */
export interface WhenCut {
  /** Epoch ms. */
  readonly atMs: number
  /** Whole seconds that the booking still has that began the session; undefined where none did. */
  readonly bookingS: number | undefined
}

/** What somebody gets whose session lost its bench at `atMs`; nothing who had ended it, or whose time was as good as over. */
export function restOfCut({ session, cancelRequested }: Cut, { atMs, bookingS }: WhenCut): RestOfSession | undefined {
  const seconds = cancelRequested ? 0 : restFrom(session, atMs)
  if (seconds === 0 || bookingS === 0) return undefined
  return bookingS === undefined ? { seconds, from: 'queue' } : { seconds: bookingS, from: 'booking' }
}

/** What its person is told of a session that its node did not bring to its end, and gets for it. */
export function whenCut(
  run: Cut,
  why: string,
  when: WhenCut,
): { readonly reason: string; readonly rest: RestOfSession | undefined } {
  const rest = restOfCut(run, when)
  const sorry = `we are sorry: the session was interrupted (${why}); what was recorded is kept, and the rest of your time is next in line`
  return { reason: rest === undefined ? why : sorry, rest }
}

/** What else counts when an attempt has stopped. */
export interface WhenStopped extends WhenCut {
  /** The booking whose bench it has could have another one. */
  readonly hasOther: boolean
}

/** The counts in `doc` are held against what has been stored, so that nothing is missing without being said. */
export function judgeStop(
  run: Pick<OpenRun, 'restarts' | 'booking' | 'unready'> & Bumped,
  hold: Pick<Hold, 'rows' | 'nextSeq' | 'bench'>,
  doc: StopDoc,
  when: WhenStopped,
): Verdict {
  const lost = whatIsMissing(hold, doc)
  if (lost !== undefined) {
    return {
      kind: 'final',
      outcome: {
        state: 'failed',
        reason: lost,
        error: {
          code: 'documents-missing',
          kind: 'bug',
          retry: 'never',
          message: lost,
          studentMessage: 'Some of the results did not arrive. What came is kept; please tell the staff.',
        },
        outputs: doc.outputs,
        missingOutputs: doc.missingOutputs,
        cleanUp: doc.cleanUp,
      },
    }
  }
  const { cleanUp } = doc
  if (isLeaving(run) && (doc.state === 'interrupted' || doc.state === 'cancelled')) {
    const { again, reason, rest } = whenLeft(run)
    if (again) return { kind: 'again', why: 'bumped', reason, cleanUp }
    const { outputs, missingOutputs } = doc
    return { kind: 'final', outcome: { state: doc.state, reason, rest, outputs, missingOutputs, cleanUp } }
  }
  const broken = doc.state === 'failed' && isBreakdown(doc.error?.code)
  if (mayStartAgain(run) && doc.state === 'interrupted') {
    return { kind: 'again', why: 'interrupted', reason: `interrupted (${doc.reason}); it starts again`, cleanUp }
  }
  if (mayStartAgain(run) && broken) {
    const reason = `we are sorry: the bench broke down (${doc.reason}); you are back at the head of the queue`
    return { kind: 'again', why: 'broken', reason, cleanUp }
  }
  const unready =
    doc.state === 'failed' && !broken && isBeingPrepared(run)
      ? whenUnready(run, { bench: hold.bench, why: doc.reason, hasOther: when.hasOther })
      : undefined
  if (unready?.again === true) return { kind: 'again', why: 'unready', reason: unready.reason, cleanUp }
  const cancelled = doc.state === 'interrupted' && run.cancelRequested
  const { reason, rest } = broken
    ? whenBroken(run, doc.reason, when)
    : doc.state === 'interrupted'
      ? whenCut(run, doc.reason, when)
      : { reason: unready?.reason ?? doc.reason, rest: undefined }
  return {
    kind: 'final',
    outcome: {
      state: cancelled ? 'cancelled' : doc.state,
      reason,
      rest,
      error: doc.error as Outcome['error'],
      outputs: doc.outputs,
      missingOutputs: doc.missingOutputs,
      cleanUp: doc.cleanUp,
    },
  }
}

/** What its person is told of an attempt whose bench broke down; a booking whose session has no other bench is over. */
export function whenBroken(
  run: Cut,
  why: string,
  when: WhenStopped,
): { readonly reason: string; readonly rest: RestOfSession | undefined } {
  const rest = when.bookingS !== undefined && !when.hasOther ? undefined : restOfCut(run, when)
  const sorry =
    rest === undefined
      ? `we are sorry: the bench broke down (${why}); what was recorded is kept, and you may ask for the lab again`
      : `we are sorry: the bench broke down (${why}); what was recorded is kept, and the rest of your time is next in line`
  return { reason: run.session === undefined ? why : sorry, rest }
}

/** What of the attempt is not here; `nextSeq` counts the stop document too. */
export function whatIsMissing(hold: Pick<Hold, 'rows' | 'nextSeq'>, doc: StopDoc): string | undefined {
  if (doc.documents !== hold.nextSeq - 1) {
    return `the node counted ${doc.documents} documents before the end, ${hold.nextSeq - 1} arrived`
  }
  const streams = new Set([...Object.keys(hold.rows), ...Object.keys(doc.rows)])
  for (const stream of streams) {
    const told = doc.rows[stream] ?? 0
    const here = hold.rows[stream] ?? 0
    if (told !== here) return `the node counted ${told} rows in ${stream}, ${here} arrived`
  }
  return undefined
}
