/**
 * Where assignments arrive.
 *
 * INVARIANTS: an assignment is answered only after its commit, by `accepted` or by a start document in the same commit;
 * what is refused, known or stale changes nothing; each duplicate or stale attempt is logged once, however often it comes;
 * what cannot be executed here (unknown bench, protocol check failed) is refused before anything is stored. What comes
 * together is committed together, in bites.
 */
import type { Limits } from '@fernlab/shared/capabilities/signals'
import { type Accepted, type Assignment, assignmentSchema } from '@fernlab/shared/contracts/sync'
import { asLabError, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import type { Bench } from '../benches/bench.ts'
import { errorJson } from '../engine/error-json.ts'
import type { RunPlans } from '../engine/plan.ts'
import type { FaultHook } from '../fault-point.ts'
import type { AttemptKey } from '../outbox/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { decide, diskRefusal } from './decide.ts'

export interface Inbox {
  /** Takes an `assign` message as it came; the answer goes to `answer`. */
  receive(message: unknown): void
  /** Resolves when all that was received is answered. */
  settled(): Promise<void>
}

export interface CreateInboxOptions {
  readonly benches: ReadonlyMap<string, Bench>
  readonly queue: Queue
  readonly plans: RunPlans
  /** Why the disk takes nothing more. */
  readonly diskTrouble: () => LabError | undefined
  /** Sends `accepted` to the hub; what is lost there is asked again. */
  readonly answer: (accepted: Accepted) => void
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

const REMEMBERED = 1000
/** More would keep the hub waiting: while some are written here, it can do its part for those before. */
const MOST_AT_ONCE = 32

export function createInbox(options: CreateInboxOptions): Inbox {
  const { benches, queue, plans, diskTrouble, answer, log, faultPoint } = options
  const waiting: unknown[] = []
  let working: Promise<void> | undefined
  const logged = new Set<string>()

  const logOnce = (key: AttemptKey, message: string) => {
    const text = `${key.runId}/${key.attempt}`
    if (logged.has(text)) return
    if (logged.size >= REMEMBERED) logged.delete(logged.values().next().value ?? '')
    logged.add(text)
    log.info({ run: key.runId, attempt: key.attempt }, message)
  }

  const judge = (
    raw: unknown,
    fences: Map<string, number>,
  ): { assignment?: Assignment; accepted?: AttemptKey; error?: LabError; key?: AttemptKey } => {
    const parsed = assignmentSchema.safeParse(raw)
    if (!parsed.success) {
      const { runId, attempt } = (raw ?? {}) as { runId?: unknown; attempt?: unknown }
      const issues = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
      const error = invalid('assignment-invalid', 'the assignment is not of this version', issues)
      log.warn({ run: String(runId), issues: issues.slice(0, 5) }, 'an assignment was refused: it is not readable')
      if (typeof runId !== 'string' || typeof attempt !== 'number') return {}
      return { key: { runId, attempt }, error }
    }
    const assignment = parsed.data
    const key = { runId: assignment.runId, attempt: assignment.attempt }
    const bench = benches.get(assignment.bench)
    const decision = decide(assignment, {
      known: queue.find(key) !== undefined,
      newestAttempt: queue.newestAttempt(assignment.runId),
      bench:
        bench === undefined
          ? undefined
          : {
              state: bench.status.state,
              reason: bench.status.reason,
              fence: Math.max(bench.fence, fences.get(bench.name) ?? 0),
              queued: queue.length(bench.name),
              direct: bench.status.lease === true,
            },
      disk: diskTrouble(),
    })
    switch (decision.kind) {
      case 'duplicate':
        logOnce(key, 'an assignment came again; it has no effect')
        return { accepted: key }
      case 'stale':
        logOnce(key, `a stale assignment has no effect: ${decision.error.message}`)
        return { key, error: decision.error }
      case 'refuse':
        return { key, error: decision.error }
      case 'accept': {
        const error = bench === undefined ? undefined : unfit(assignment, bench, plans)
        if (error !== undefined) return { key, error }
        fences.set(assignment.bench, assignment.fence)
        return { assignment }
      }
    }
  }

  const work = async () => {
    while (waiting.length > 0) {
      const raws = waiting.splice(0, MOST_AT_ONCE)
      const fences = new Map<string, number>()
      const accepted: AttemptKey[] = []
      const refused: Accepted['refused'] = []
      const fresh = new Map<string, Assignment>()
      for (const raw of raws) {
        const { assignment, accepted: again, error, key } = judge(raw, fences)
        if (assignment !== undefined) fresh.set(`${assignment.runId}/${assignment.attempt}`, assignment)
        else if (again !== undefined) accepted.push(again)
        else if (key !== undefined && error !== undefined) {
          // The same attempt twice in one message: the first counts.
          if (fresh.has(`${key.runId}/${key.attempt}`)) logOnce(key, 'an assignment came again; it has no effect')
          else refused.push({ ...key, error: errorJson(error) })
        }
      }
      if (fresh.size > 0) {
        const assignments = [...fresh.values()]
        try {
          await queue.accept(assignments)
          for (const { bench, fence, runId, attempt } of assignments) {
            benches.get(bench)?.advanceFence(fence)
            // A start document that shared the commit says it as well.
            if (queue.find({ runId, attempt })?.begun !== true) accepted.push({ runId, attempt })
          }
        } catch (thrown) {
          const error = errorJson(diskRefusal(asLabError(thrown)))
          refused.push(...assignments.map(({ runId, attempt }) => ({ runId, attempt, error })))
        }
      }
      if (accepted.length > 0 || refused.length > 0) answer({ accepted, refused })
      if (accepted.length > 0) faultPoint?.('after-send-accepted')
    }
    working = undefined
  }

  return {
    receive: (message) => {
      faultPoint?.('after-receive-assign')
      const assignments = (message as { assignments?: unknown } | null)?.assignments
      if (!Array.isArray(assignments)) {
        log.warn({}, 'an assign message holds no assignments')
        return
      }
      waiting.push(...assignments)
      // After this turn, so that what came together is committed together.
      working ??= Promise.resolve().then(work)
    },
    settled: async () => {
      await working
    },
  }
}

/** Why this assignment can never run on this bench. */
function unfit(assignment: Assignment, bench: Bench, plans: RunPlans): LabError | undefined {
  const protocol = assignment.definition as Protocol
  try {
    if (plans.find(assignment, bench) !== undefined) return undefined
    const parameters = checkParameters(protocol, assignment.parameters)
    if (parameters.issues.length > 0)
      return invalid('parameters-invalid', 'the parameters do not fit the protocol', parameters.issues)
    const issues = checkProtocol(protocol, {
      parts: bench.specs(),
      limits: narrowest(bench.entry.limits ?? {}, assignment.limits),
      parameters: parameters.values,
    })
    if (issues.length > 0) return invalid('protocol-unfit', `the protocol does not fit bench ${bench.name}`, issues)
    plans.keep(assignment, bench)
  } catch (thrown) {
    const error = asLabError(thrown)
    return error.kind === 'bug'
      ? invalid('protocol-unreadable', `the protocol is not readable: ${error.message}`, [])
      : error
  }
  return undefined
}

type LooseLimits = Readonly<Record<string, { readonly low?: number | undefined; readonly high?: number | undefined }>>

/** For each signal the higher low and the lower high. */
export function narrowest(...all: readonly LooseLimits[]): Record<string, Limits> {
  const result: Record<string, { low?: number; high?: number }> = {}
  for (const limits of all) {
    for (const [key, { low, high }] of Object.entries(limits)) {
      const present = result[key] ?? {}
      if (low !== undefined) present.low = Math.max(low, present.low ?? low)
      if (high !== undefined) present.high = Math.min(high, present.high ?? high)
      result[key] = present
    }
  }
  return result
}

function invalid(code: string, message: string, issues: readonly Issue[]): LabError {
  const first = issues[0]
  const more = first === undefined ? '' : `: ${first.path === '' ? '' : `${first.path}: `}${first.message}`
  return new LabError({
    code,
    kind: 'caller',
    retry: 'never',
    message: `${message}${more}`,
    issues: issues.slice(0, 20),
  })
}
