/**
 * Takes documents from nodes: in order, once, committed before they are acknowledged.
 *
 * INVARIANTS: of an attempt, the document with seq n is stored only after n − 1; a document of an attempt that is not the
 * run's present one, or of another node, changes nothing; `start` makes the run running and `stop` makes it final (or
 * queues it again) in the write that stores them; nothing is acknowledged before its commit.
 */

import type { EventPageDoc, NodeDocument, PictureDoc, StartDoc, StopDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import type { Acknowledge } from '@fernlab/shared/contracts/sync'
import { encode } from '@fernlab/shared/links/codec'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { createLossLog } from '../broker/loss-log.ts'
import type { NodeLink } from '../broker/node-link.ts'
import type { FaultHook } from '../fault-point.ts'
import type { FleetBook } from '../fleet/fleet-book.ts'
import { tookPicture, whyNoPicture, whyNoPictureOfPage } from '../results/pictures-taken.ts'
import { attemptNow } from '../runs/attempt-clock.ts'
import type { Ledger } from '../runs/ledger.ts'
import type { Hold, OpenRun } from '../runs/open-runs.ts'
import type { RunStatements } from '../runs/run-statements.ts'
import { afterCommands } from '../sessions/stage.ts'
import type { Turn } from '../store/turn.ts'
import { type CheckedDocument, checkDocuments } from './check-documents.ts'
import { isBreakdown, judgeStop, whatIsMissing } from './judge-stop.ts'

export interface Ingest {
  /** Takes one documents message of a node. */
  receive(node: string, message: unknown): void
}

export interface CreateIngestOptions {
  readonly link: NodeLink
  readonly ledger: Ledger
  readonly turn: Turn
  readonly statements: RunStatements
  readonly book: Pick<FleetBook, 'benches'>
  readonly clock: Clock
  readonly log: Log
  /** Tells the node what the hub has of an attempt, after a gap. */
  readonly compare: (node: string) => void
  /** A start document says that the node has accepted the attempt. */
  readonly taken: (hold: Hold) => void
  readonly booked: {
    /** Whole seconds that the booking still has that began the session; undefined where none did. */
    leftOf(run: OpenRun): number | undefined
    /** Whether the booking whose bench the run has could have another one. */
    hasOtherBench(run: OpenRun): boolean
  }
  /** What a commit has stored, and how long it took. */
  readonly onCommit: (stored: { documents: number; rows: number }, seconds: number) => void
  readonly faultPoint?: FaultHook | undefined
}

/** An acknowledgement is sent this long after its commit, or when so many are owed. */
const OWED_MS = 4
const MOST_OWED = 256
/** A bench that broke down gets no run for so long. */
const BROKEN_MS = 10_000

/** The ingest of all nodes. */
export function createIngest(options: CreateIngestOptions): Ingest {
  const { link, ledger, turn, statements, clock, compare, faultPoint } = options
  const losses = createLossLog(options.log)
  let stored = { documents: 0, rows: 0 }

  const receive = (node: string, message: unknown) => {
    if (!turn.open) return
    const documents = checkDocuments(message)
    const answers = new Map<string, Acknowledge['upTo'][number]>()
    const touched = new Map<OpenRun, { readonly hold: Hold; readonly before: number; readonly attempt: number }>()
    const unwanted: { runId: string; attempt: number; reason: string }[] = []
    let gap = false
    for (const document of documents) {
      const { runId, attempt, seq } = document
      const key = `${runId}/${attempt}`
      const run = ledger.runs.get(runId) ?? ledger.runs.unreturned.get(runId)
      if (run === undefined || run.attempt !== attempt || run.hold === undefined || run.hold.node !== node) {
        if (run?.hold !== undefined && run.attempt === attempt) {
          losses.lost(
            `foreign/${key}`,
            { node, run: runId, attempt },
            'documents of a run on another node were ignored',
          )
          continue
        }
        // Final, or overtaken by a newer attempt: the node may forget it.
        losses.lost(`stale/${key}`, { node, run: runId, attempt, seq }, 'documents of a finished attempt were ignored')
        answers.set(key, { runId, attempt, seq: seq + 1 })
        if (document.name === 'start') unwanted.push({ runId, attempt, reason: 'the hub does not want this attempt' })
        continue
      }
      const { hold } = run
      if (seq < hold.nextSeq) {
        losses.lost(`again/${key}`, { node, run: runId, attempt, seq }, 'documents came again; they have no effect')
        answers.set(key, { runId, attempt, seq: hold.nextSeq })
        continue
      }
      if (seq > hold.nextSeq) {
        losses.lost(`gap/${key}`, { node, run: runId, attempt, seq, wanted: hold.nextSeq }, 'documents are missing')
        gap = true
        continue
      }
      if (!touched.has(run)) touched.set(run, { hold, before: hold.nextSeq, attempt })
      accept(run, hold, document)
      answers.set(key, { runId, attempt, seq: seq + 1 })
    }
    for (const [run, { hold, before, attempt }] of touched) {
      // An attempt that has ended in this message has its last row already.
      if (run.hold !== hold) continue
      turn.add(statements.advanceAttempt, { runId: run.id, attempt, nextSeq: hold.nextSeq, before })
      turn.add(statements.keepRows, { id: run.id, attempt, rows: JSON.stringify(hold.rows) })
    }
    // What begins without being wanted would hold its bench to its end.
    if (unwanted.length > 0) turn.afterCommit(() => link.send(node, 'cancel', { cancels: unwanted }))
    if (answers.size > 0 || touched.size > 0) {
      faultPoint?.('before-documents-commit')
      const taken = stored
      const begunAt = clock.monotonic()
      stored = { documents: 0, rows: 0 }
      turn.afterCommit(() => {
        options.onCommit(taken, (clock.monotonic() - begunAt) / 1000)
        faultPoint?.('after-documents-commit')
        acknowledge(node, answers)
        for (const [run, { attempt }] of touched) ledger.notify({ runId: run.id, kind: 'documents', attempt })
      })
    }
    if (gap) compare(node)
  }

  // No run waits for an acknowledgement, and a node has a window of many documents: what is owed may gather for a moment.
  const owed = new Map<string, Map<string, Acknowledge['upTo'][number]>>()
  let cancelOwed: (() => void) | undefined
  let owedCount = 0
  const acknowledge = (node: string, answers: ReadonlyMap<string, Acknowledge['upTo'][number]>) => {
    const list = owed.get(node) ?? new Map<string, Acknowledge['upTo'][number]>()
    owed.set(node, list)
    // The highest of an attempt includes all below.
    for (const [key, answer] of answers) if ((list.get(key)?.seq ?? -1) < answer.seq) list.set(key, answer)
    owedCount += answers.size
    if (owedCount >= MOST_OWED) sendOwed()
    else cancelOwed ??= clock.after(OWED_MS, sendOwed)
  }
  const sendOwed = () => {
    cancelOwed?.()
    cancelOwed = undefined
    owedCount = 0
    for (const [node, upTo] of owed) link.send(node, 'acknowledge', { upTo: [...upTo.values()] })
    owed.clear()
    faultPoint?.('after-acknowledge')
  }

  const accept = (run: OpenRun, hold: Hold, document: CheckedDocument) => {
    const why = whyInconsistent(run, hold, document)
    if (why !== undefined || document.name === 'unreadable') {
      const reason = `its documents are damaged: document ${document.seq}: ${why ?? (document as { why: string }).why}`
      losses.lost(
        `damaged/${run.id}`,
        { node: hold.node, run: run.id, reason },
        'a run failed: its documents are damaged',
      )
      const { node } = hold
      const { id: runId, attempt } = run
      turn.afterCommit(() => link.send(node, 'cancel', { cancels: [{ runId, attempt, reason }] }))
      if (isOver(run)) return ledger.giveBack({ ...run, hold }, { reason })
      ledger.finish(run, {
        state: 'failed',
        reason,
        error: {
          code: 'documents-damaged',
          kind: 'bug',
          retry: 'never',
          message: `run ${run.id}: ${reason}`,
          studentMessage: 'The results arrived damaged. What came before is kept; please tell the staff.',
        },
        endedAt: attemptNow(hold, clock),
      })
      return
    }
    store(document)
    hold.nextSeq++
    switch (document.name) {
      case 'start':
        options.taken(hold)
        start(run, hold, document.doc)
        return
      case 'descriptor':
        hold.rows[document.doc.stream] ??= 0
        return
      case 'event_page':
        hold.rows[document.doc.stream] = document.doc.first + document.doc.count
        if (run.session !== undefined && document.doc.stream === COMMANDS_STREAM && !isOver(run)) {
          const time = (seconds: number) => hubTime(seconds, hold)
          ledger.progress(run, afterCommands(run.session, document.doc, time))
        }
        return
      case 'picture':
        tookPicture(hold.pictures, document.doc)
        return
      case 'stop':
        if (isOver(run)) giveBack(run, hold, document.doc)
        else stop(run, hold, document.doc)
    }
  }

  const start = (run: OpenRun, hold: Hold, { time, clockOffsetMs }: StartDoc) => {
    hold.nodeAheadMs = clockOffsetMs ?? 0
    const startedAt = hubTime(time, hold)
    // The hub's clock may have been set since the node has compared its own: what follows is as long after this as it says.
    hold.nodeAheadMs = time * 1000 - startedAt
    if (isOver(run)) run.startedAt = startedAt
    else ledger.start(run, startedAt)
  }

  const stop = (run: OpenRun, hold: Hold, doc: StopDoc) => {
    faultPoint?.('before-stop-commit')
    const endedAt = Math.max(run.startedAt ?? 0, hubTime(doc.time, hold))
    const verdict = judgeStop(run, hold, doc, {
      atMs: endedAt,
      bookingS: options.booked.leftOf(run),
      hasOther: options.booked.hasOtherBench(run),
    })
    if (verdict.kind === 'again') {
      if (verdict.why === 'broken') restBench(hold, doc.reason)
      ledger.requeue(run, verdict.why, verdict.reason, verdict.cleanUp)
      turn.afterCommit(() => faultPoint?.('after-requeue-commit'))
      return
    }
    if (verdict.outcome.rest !== undefined && isBreakdown(doc.error?.code)) restBench(hold, doc.reason)
    ledger.finish(run, { ...verdict.outcome, endedAt })
    turn.afterCommit(() => faultPoint?.('after-stop-commit'))
  }

  /** Of a run that is over for its person already. */
  const isOver = ({ id }: OpenRun): boolean => ledger.runs.unreturned.has(id)

  const giveBack = (run: OpenRun, hold: Hold, doc: StopDoc) => {
    faultPoint?.('before-stop-commit')
    const missing = whatIsMissing(hold, doc)
    if (missing !== undefined)
      options.log.warn({ run: run.id, node: hold.node, missing }, 'the record of a lost session is not whole')
    ledger.giveBack({ ...run, hold }, { cleanUp: doc.cleanUp, reason: doc.reason })
    turn.afterCommit(() => faultPoint?.('after-stop-commit'))
  }

  /** Its node will say that it is out of use, or its checks will: until then others are sooner. */
  const restBench = ({ bench: id }: Hold, reason: string) => {
    const bench = options.book.benches.get(id)
    if (bench === undefined) return
    bench.refusedUntil = clock.monotonic() + BROKEN_MS
    bench.refusal = reason
  }

  /** A node's time by the clock of the attempt, in ms: not before the assignment, not after now. */
  const hubTime = (seconds: number, hold: Hold) =>
    Math.round(Math.min(attemptNow(hold, clock), Math.max(hold.assignedAtMs, seconds * 1000 - (hold.nodeAheadMs ?? 0))))

  const store = ({ runId, attempt, seq, name, doc }: NodeDocument) => {
    const page = name === 'event_page' ? (doc as EventPageDoc) : undefined
    const picture = name === 'picture' ? (doc as PictureDoc) : undefined
    stored.documents++
    stored.rows += page?.count ?? 0
    turn.add(statements.insertDocument, {
      run_id: runId,
      attempt,
      seq,
      name,
      stream: name === 'start' || name === 'stop' ? null : (doc as { stream: string }).stream,
      first_row: page?.first ?? picture?.number ?? null,
      row_count: page?.count ?? null,
      first_time: page?.time[0] ?? picture?.time ?? null,
      last_time: page?.time[page.time.length - 1] ?? null,
      body: encode(doc),
    })
  }

  return { receive }
}

function whyInconsistent(run: OpenRun, hold: Hold, document: CheckedDocument): string | undefined {
  const { name, seq } = document
  if (name === 'unreadable') return document.why
  if (name === 'start') {
    if (seq !== 0) return 'a second start'
    if (document.doc.fence !== hold.fence) return `its fence is ${document.doc.fence}, not ${hold.fence}`
    return run.state === 'assigned' ? undefined : `a start while the run is ${run.state}`
  }
  if (seq === 0 && name !== 'stop') return `begins with ${name}`
  if (name === 'event_page') {
    const have = hold.rows[document.doc.stream]
    if (have === undefined) return `a page of ${document.doc.stream}, which has no descriptor`
    if (have !== document.doc.first)
      return `row ${document.doc.first} of ${document.doc.stream} follows row ${have - 1}`
    return whyNoPictureOfPage(hold.pictures, document.doc)
  }
  if (name === 'picture') return whyNoPicture(hold.pictures, hold.rows[document.doc.stream], document.doc)
  return undefined
}
