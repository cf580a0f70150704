/** How far imports are, for those who made them; in memory only: an import does not outlive the hub that does it. */
import type { ImportProgress } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface ImportsUnderWay {
  /** Keeps what is told of an import until ten minutes after its end. */
  begin(personId: string, what: { preview: boolean; ref?: string | undefined }): ImportWatch
  /** Latest first. */
  of(personId: string): ImportProgress[]
}

export interface ImportWatch {
  at(step: ImportProgress['step'], done: number, of: number): void
}

const KEPT_MS = 10 * 60_000
const MOST_KEPT = 20

/** Notes of imports. */
export function createImportProgress(clock: Clock): ImportsUnderWay {
  const kept = new Map<string, { progress: ImportProgress; endedAt?: number }[]>()
  const alive = (personId: string) =>
    (kept.get(personId) ?? []).filter(({ endedAt = Number.POSITIVE_INFINITY }) => clock.monotonic() - endedAt < KEPT_MS)
  return {
    begin: (personId, { preview, ref }) => {
      const named = ref === undefined ? {} : { ref }
      const mine: { progress: ImportProgress; endedAt?: number } = {
        progress: { ...named, preview, step: 'waiting', done: 0, of: 0 },
      }
      for (const person of kept.keys()) if (alive(person).length === 0) kept.delete(person)
      kept.set(personId, [mine, ...alive(personId)].slice(0, MOST_KEPT))
      return {
        at: (step, done, of) => {
          mine.progress = { ...named, preview, step, done, of }
          if (step === 'done' || step === 'stopped') mine.endedAt = clock.monotonic()
        },
      }
    },
    of: (personId) => alive(personId).map(({ progress }) => progress),
  }
}
