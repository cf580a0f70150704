/** When each sign-in was last used: written in bundles, so that what a page asks costs no write; may be lost. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Store } from '../store/store.ts'

const flushMs = 60_000

export interface LastSeen {
  note(sessionId: string): void
  /** As ISO text, where it is not written yet. */
  of(sessionId: string): string | undefined
  /** Writes down what is still in memory. */
  close(): Promise<void>
}

/** Keeps in `updatedAt` of better-auth's sessions when they were last seen: better-auth itself does not change those. */
export function createLastSeen({ store, clock, log }: { store: Store; clock: Clock; log: Log }): LastSeen {
  const seen = new Map<string, string>()
  let cancelFlush: (() => void) | undefined

  const flush = async () => {
    cancelFlush?.()
    cancelFlush = undefined
    const bundle = [...seen]
    seen.clear()
    if (bundle.length === 0) return
    const write = ([id, updatedAt]: readonly [string, string]) =>
      store.db.updateTable('session').set({ updatedAt }).where('id', '=', id)
    await store.write(bundle.map(write))
  }
  return {
    note: (sessionId) => {
      seen.set(sessionId, new Date(clock.now()).toISOString())
      cancelFlush ??= clock.after(flushMs, () => {
        flush().catch((error: unknown) =>
          log.warn({ code: asLabError(error).code }, 'when people were last seen could not be written'),
        )
      })
    },
    of: (sessionId) => seen.get(sessionId),
    close: flush,
  }
}
