/** Hears from a node which locks of a program have ended, and why. */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import type { Connection } from './connection.ts'

export interface WatchLocksOptions {
  readonly connection: Connection
  readonly services: readonly string[]
  /** Of the taking; undefined at a node that takes none. */
  readonly id: string | undefined
  /** Gets the names of those that are lost. */
  readonly gone: Set<string>
  /** Aborted by the first. */
  readonly lost: AbortController
  readonly clock: Clock
  /** Ends it: the program lets go of its locks. */
  readonly signal: AbortSignal
}

const FIRST_WAIT_MS = 100
const LAST_WAIT_MS = 2000

/** Over each link anew, so that it hears also of what ended while no way led there. Never rejects. */
export async function watchLocks({ connection, services, id, gone, lost, clock, signal }: WatchLocksOptions) {
  const asked = (left: readonly string[]) => ({ services: left, ...(id === undefined ? {} : { id }) })
  let waitMs = FIRST_WAIT_MS
  while (!signal.aborted) {
    const left = services.filter((service) => !gone.has(service))
    try {
      for await (const item of connection.stream('node/lost', asked(left), { signal })) {
        waitMs = FIRST_WAIT_MS
        const { message, ...details } = item as { service: string; why: string; message: string }
        gone.add(details.service)
        lost.abort(new LabError({ code: 'lock-ended', kind: 'caller', message, details }))
      }
      return
    } catch (thrown) {
      const error = asLabError(thrown)
      if (signal.aborted || error.code === 'client-closed') return
      // What opened the node is no more, and the lock with it.
      if (error.kind === 'caller' && error.retry === 'never') {
        for (const service of left) gone.add(service)
        return lost.abort(error)
      }
    }
    await clock.sleep(waitMs, signal).catch(() => {}) // let go of: the loop ends
    waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)
  }
}
