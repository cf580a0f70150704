import type { Clock } from './clock.ts'
import { LabError } from './lab-error.ts'

/** An error that says what did not finish in time. */
export function deadlineError(what: string, ms: number, details: Record<string, string | number> = {}): LabError {
  return new LabError({
    code: 'deadline-exceeded',
    kind: 'instrument',
    message: `${what} did not finish within ${ms} ms`,
    retry: 'later',
    details: { ...details, timeoutMs: ms },
  })
}

/**
 * Runs `work` with a signal that aborts after `ms` or when `outer` does; rejects with `onTimeout()` at the deadline
 * even if `work` ignores its signal.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  onTimeout: () => LabError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  return await new Promise<T>((resolve, reject) => {
    const forget = () => {
      cancel()
      outer?.removeEventListener('abort', onOuter)
    }
    // Work that ignores its signal may never settle: nothing of it may keep the process up.
    const end = (reason: unknown) => {
      forget()
      controller.abort(reason)
      reject(reason)
    }
    const onOuter = () => end(outer?.reason)
    const cancel = clock.after(ms, () => end(onTimeout()))
    outer?.addEventListener('abort', onOuter, { once: true })
    work(controller.signal).then(resolve, reject).finally(forget)
  })
}
