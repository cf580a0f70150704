/**
 * Runs `work` with a signal that aborts as soon as one of these does, with its reason. Nothing is left at the signals
 * afterwards: unlike `AbortSignal.any` it can be used for each call beside a signal that lives as long as the process.
 */
export async function withEither<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signals.find(({ aborted }) => aborted)?.reason)
  for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true })
  if (signals.some(({ aborted }) => aborted)) onAbort()
  try {
    return await work(controller.signal)
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', onAbort)
  }
}
