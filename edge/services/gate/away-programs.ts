import type { Clock } from '@fernlab/shared/primitives/clock'
import type { LinkCaller } from './link-caller.ts'

/** Programs whose last link has broken, and which may come back: for so long as anything of theirs may be kept. */
export class AwayPrograms {
  readonly #forMs: number
  #isClosed = false
  readonly #all = new Map<string, { readonly caller: LinkCaller; readonly cancel: () => void }>()

  constructor(forMs: number) {
    this.#forMs = forMs
  }

  /** The caller is that of its last link. */
  set(program: string, caller: LinkCaller, clock: Pick<Clock, 'after'>): void {
    this.delete(program)
    if (this.#isClosed) return
    this.#all.set(program, { caller, cancel: clock.after(this.#forMs, () => this.#all.delete(program)) })
  }

  /** It is back. */
  delete(program: string): void {
    this.#all.get(program)?.cancel()
    this.#all.delete(program)
  }

  /** Those whose token was revoked by now; they are not away any more, but gone. */
  takeRevoked(): string[] {
    const gone = [...this.#all].filter(([, { caller }]) => caller.isRevoked).map(([program]) => program)
    for (const program of gone) this.delete(program)
    return gone
  }

  /** Nobody is waited for any more, whoever goes later. */
  close(): void {
    this.#isClosed = true
    for (const program of [...this.#all.keys()]) this.delete(program)
  }
}
