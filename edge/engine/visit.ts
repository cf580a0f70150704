/**
 * What one attempt has open on a laboratory's own server.
 *
 * INVARIANTS: that a session is going to be asked for is on disk before the server is asked, and the session's id before
 * anybody works on it, so that a later life of the node knows of it; a session that may be open, but whose id was lost,
 * is never taken for none; an answer that comes late is waited for before the bench counts as clean.
 */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { LeasedLabServer } from '../benches/lease.ts'
import type { LabPage, VisitRequest } from '../drivers/driver.ts'
import type { FaultHook } from '../fault-point.ts'
import { untilAborted } from './until-aborted.ts'

const keptSchema = z.discriminatedUnion('is', [
  z.object({ is: z.literal('asked'), untilMs: z.number() }),
  z.object({ is: z.literal('open'), id: z.string() }),
])
type Kept = z.infer<typeof keptSchema>

export interface Visit {
  /** Begins a session there; where its page is. */
  start(server: LeasedLabServer, request: VisitRequest, nowMs: number, signal: AbortSignal): Promise<LabPage>
  /** When to ask again, in seconds; 0: never; less: the session is over. */
  status(server: LeasedLabServer, signal: AbortSignal): Promise<number>
  /** Ends what is open; nothing when nothing is. Throws `lab-session-unknown` when that is not known. */
  dispose(server: LeasedLabServer, signal: AbortSignal): Promise<void>
}

export interface CreateVisitOptions {
  /** What `keep` was given last, in a former life of the node. */
  readonly found: string | undefined
  /** Resolves when it is on disk; null: nothing is open. */
  readonly keep: (visit: string | null) => Promise<void>
  readonly faultPoint?: FaultHook | undefined
}

/** The visit of one attempt. */
export function createVisit({ found, keep, faultPoint }: CreateVisitOptions): Visit {
  let now: Kept | undefined = found === undefined ? undefined : keptSchema.parse(JSON.parse(found))
  /** Settles when the server has answered, or nothing more will come; never rejects. */
  let answered: Promise<void> = Promise.resolve()

  const become = async (next: Kept | undefined) => {
    now = next
    await keep(next === undefined ? null : JSON.stringify(next))
  }

  return {
    start: async (server, request, nowMs, signal) => {
      await become({ is: 'asked', untilMs: nowMs + request.seconds * 1000 })
      signal.throwIfAborted()
      faultPoint?.('before-lab-start')
      // Not given up with the step: what the server begins meanwhile has to be ended.
      const asked = server.start(request, new AbortController().signal)
      answered = asked.then(
        ({ id }) => {
          now = { is: 'open', id }
        },
        (thrown) => {
          if (isSureThatNoneBegan(asLabError(thrown))) now = undefined
        },
      )
      const { id, url } = await untilAborted(asked, signal)
      faultPoint?.('after-lab-start')
      await become({ is: 'open', id })
      return server.page(url)
    },
    status: async (server, signal) => {
      if (now?.is !== 'open') throw new LabError({ code: 'lab-session-missing', kind: 'bug', message: 'none is open' })
      return await server.status(now.id, signal)
    },
    dispose: async (server, signal) => {
      await untilAborted(answered, signal)
      if (now === undefined) return
      if (now.is === 'asked') throw unknown(now.untilMs)
      await server.dispose(now.id, signal)
      // No clean-up waits for storage; a later life that does not know would be told that there is none.
      void become(undefined).catch(() => {})
    },
  }
}

const isSureThatNoneBegan = ({ code, details }: LabError): boolean =>
  details.begun === false || code === 'instrument-offline'

function unknown(untilMs: number): LabError {
  const until = new Date(untilMs).toISOString()
  return new LabError({
    code: 'lab-session-unknown',
    kind: 'instrument',
    message: `the lab's server was asked for a session, and whether it began one was lost with the answer: it would end by itself at ${until}; look at the lab, then put the bench back`,
  })
}
