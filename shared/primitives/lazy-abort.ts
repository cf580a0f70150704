/**
 * As an `AbortController` whose signal is made only when somebody asks for it: a signal costs more than all else of a small
 * call. Who gives the work up and who does it share one.
 */
export class LazyAbort {
  #controller: AbortController | undefined
  #isAborted = false
  #reason: unknown
  #listener: ((reason: unknown) => void) | undefined

  get aborted(): boolean {
    return this.#isAborted
  }

  /** What it was aborted with. */
  get reason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** The first time alone has an effect. */
  abort(reason: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    this.#listener?.(reason)
    this.#controller?.abort(reason)
  }

  /** Tells the one listener that there may be of the abort, at once if it was already; undefined ends that. */
  onAbort(listener: ((reason: unknown) => void) | undefined): void {
    this.#listener = listener
    if (this.#isAborted) listener?.(this.#reason)
  }
}

/**
 * Tells the listener why, once, at once if it is aborted already; what it returns ends that. A `LazyAbort` has one listener
 * and makes no signal for it.
 */
export function whenAborted(
  by: LazyAbort | { readonly signal: AbortSignal },
  listener: (reason: unknown) => void,
): () => void {
  if (by instanceof LazyAbort) {
    by.onAbort(listener)
    return () => by.onAbort(undefined)
  }
  const { signal } = by
  const told = () => listener(signal.reason)
  if (signal.aborted) told()
  else signal.addEventListener('abort', told, { once: true })
  return () => signal.removeEventListener('abort', told)
}
