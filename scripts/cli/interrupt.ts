import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Context } from './context.ts'

/** A signal that Ctrl-C aborts, with words on what goes on, instead of ending the process at once. */
export function untilInterrupted(
  context: Context,
  why: LabError,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const stop = new AbortController()
  const release = context.onInterrupt(() => stop.abort(why))
  return { signal: stop.signal, release }
}

/** Saves something, which Ctrl-C breaks off in a way that lets the part that was written be removed. */
export async function whileSaving<Result>(
  context: Context,
  save: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const message = 'stopped; what was not whole yet is not kept'
  const why = new LabError({ code: 'interrupted-by-person', kind: 'caller', message })
  const { signal, release } = untilInterrupted(context, why)
  try {
    return await save(signal)
  } finally {
    release()
  }
}
