/** What a benchmark wants to have measured in a guest, one after the other. */
interface Wanted {
  readonly what: string
  readonly resolve: (figure: number) => void
  readonly reject: (error: Error) => void
}

const waiting: Wanted[] = []
let wake: (() => void) | undefined
let ended = false

export const measurements = {
  /** On the benchmark's side: resolves with the figure; rejects when the guest is gone. */
  take: (what: string): Promise<number> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(new Error('the guest has ended'))
      waiting.push({ what, resolve, reject })
      wake?.()
    }),
  /** No more: the guest's program ends. */
  finish: (): void => {
    ended = true
    wake?.()
  },
  /** On the guest's side: what is to be measured, `end` when nothing is any more. */
  next: async (): Promise<string> => {
    while (waiting.length === 0 && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return waiting[0]?.what ?? 'end'
  },
  done: (figure: number): void => waiting.shift()?.resolve(figure),
  /** The guest has ended. */
  over: (): void => {
    ended = true
    for (const { reject } of waiting.splice(0)) reject(new Error('the guest has ended; see the log'))
  },
}
