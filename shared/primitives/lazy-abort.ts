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

  /**
   * Tells the listener of the abort, at once if it was already; what it returns ends that. The first costs no signal;
   * those beside it are told by one.
   */
  onAbort(listener: (reason: unknown) => void): () => void {
    if (this.#isAborted) {
      listener(this.#reason)
      return () => {}
    }
    if (this.#listener !== undefined) return onSignal(this.signal, listener)
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = undefined
    }
  }
}

/**
 * Tells the listener why, once, at once if it is aborted already; what it returns ends that. A `LazyAbort` makes no signal
 * for the first of them.
 */
export const whenAborted = (
  by: LazyAbort | { readonly signal: AbortSignal },
  listener: (reason: unknown) => void,
): (() => void) => (by instanceof LazyAbort ? by.onAbort(listener) : onSignal(by.signal, listener))

function onSignal(signal: AbortSignal, listener: (reason: unknown) => void): () => void {
  const told = () => listener(signal.reason)
  if (signal.aborted) told()
  else signal.addEventListener('abort', told, { once: true })
  return () => signal.removeEventListener('abort', told)
}
