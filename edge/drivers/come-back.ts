import type { Clock } from '@fernlab/shared/primitives/clock'

export interface ComeBack {
  readonly clock: Clock
  /** Aborts when the instrument is closed. */
  readonly signal: AbortSignal
  readonly backOffMs: { readonly first: number; readonly longest: number }
  readonly again: () => Promise<void>
  /** Told each time that it has failed. */
  readonly failed: (thrown: unknown) => void
}

/** Waits and tries `again`, twice as long each time, until it succeeds; resolves with false when the signal aborted first. */
export async function comeBack({ clock, signal, backOffMs, again, failed }: ComeBack): Promise<boolean> {
  for (let waitMs = backOffMs.first; ; waitMs = Math.min(2 * waitMs, backOffMs.longest)) {
    try {
      await clock.sleep(waitMs, signal)
      await again()
      return true
    } catch (thrown) {
      if (signal.aborted) return false
      failed(thrown)
    }
  }
}
