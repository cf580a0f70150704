/**
 * How the sessions of one lab's server stand, which is asked for all of them at once where there are several.
 *
 * INVARIANTS: no session is told a status that is older than the server wanted it to be; nobody waits for the server longer
 * than their own signal allows, and a question that nobody waits for any more is given up; a question that fails is a
 * failure of those who asked it, and of nobody else.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LabServerCalls } from './lab-server-client.ts'

export interface SharedStatus {
  /** When to ask again, in seconds; 0: never; less: the session is over. */
  status(id: string, signal: AbortSignal): Promise<number>
  /** The session is over: it is asked for no more. */
  forget(id: string): void
}

export interface CreateSharedStatusOptions {
  readonly calls: Pick<LabServerCalls, 'status' | 'statuses'>
  readonly clock: Clock
}

/** What the server may take for its answer. */
const TIMEOUT_S = 5

interface Question {
  readonly ids: ReadonlySet<string>
  readonly answer: Promise<Readonly<Record<string, number>> | undefined>
  readonly ending: AbortController
  waiting: number
}

/** Nothing is known of any session yet. */
export function createSharedStatus({ calls, clock }: CreateSharedStatusOptions): SharedStatus {
  const open = new Set<string>()
  /** What came with the answer to a question of another session. */
  const told = new Map<string, { readonly againS: number; readonly at: number }>()
  let question: Question | undefined
  let answersTogether = true

  const toldNow = (id: string): number | undefined => {
    const known = told.get(id)
    told.delete(id)
    if (known === undefined || known.againS <= 0) return known?.againS
    const leftS = known.againS - (clock.monotonic() - known.at) / 1000
    return leftS > 0 ? leftS : undefined
  }

  const ask = (): Question => {
    const ids = new Set(open)
    const ending = new AbortController()
    const asked: Question = { ids, ending, waiting: 0, answer: calls.statuses([...ids], TIMEOUT_S, ending.signal) }
    const end = () => {
      if (question === asked) question = undefined
    }
    asked.answer.then((statuses) => {
      end()
      answersTogether = statuses !== undefined
      for (const [id, againS] of Object.entries(statuses ?? {})) {
        if (open.has(id)) told.set(id, { againS, at: clock.monotonic() })
      }
    }, end)
    return asked
  }

  const answerTo = (asked: Question, signal: AbortSignal) =>
    new Promise<Awaited<Question['answer']>>((resolve, reject) => {
      asked.waiting++
      const leave = () => {
        if (--asked.waiting === 0) asked.ending.abort(signal.reason)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      asked.answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })

  return {
    status: async (id, signal) => {
      signal.throwIfAborted()
      open.add(id)
      const known = toldNow(id)
      if (known !== undefined) return known
      if (open.size > 1 && answersTogether) {
        question = question?.ids.has(id) === true ? question : ask()
        const statuses = await answerTo(question, signal)
        const mine = statuses?.[id]
        told.delete(id)
        if (mine !== undefined) return mine
      }
      return await calls.status(id, signal)
    },
    forget: (id) => {
      open.delete(id)
      told.delete(id)
      // A server that was too old may have been replaced meanwhile.
      if (open.size === 0) answersTogether = true
    },
  }
}
