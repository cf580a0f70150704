/** Long answers of a hub, line by line. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import type { AskOptions, Hub } from './hub.ts'

export interface LinesOptions extends Pick<AskOptions, 'query' | 'headers' | 'signal'> {
  readonly clock: Clock
}

/** The hub sends something every 15 s. */
const SILENCE_MS = 45_000

/**
 * Whole lines only: one that was cut off is not given. Rejects as `hub.ask` does, with `hub-unreachable` also where the
 * hub says nothing for 45 s; leaving the loop ends the request.
 */
export async function* linesOf(
  hub: Hub,
  path: string,
  { clock, signal, ...options }: LinesOptions,
): AsyncGenerator<string, void, void> {
  signal?.throwIfAborted()
  const ended = new AbortController()
  const onAbort = () => ended.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const watched = async <Result>(work: Promise<Result>): Promise<Result> => {
    const cancel = clock.after(SILENCE_MS, () => ended.abort(hub.unreachable(new Error('it says nothing'))))
    try {
      return await unlessAborted(work, ended.signal)
    } catch (cause) {
      signal?.throwIfAborted()
      throw cause instanceof LabError ? cause : hub.unreachable(cause)
    } finally {
      cancel()
    }
  }
  try {
    const { body } = await watched(hub.open(path, { ...options, signal: ended.signal }))
    const reader = body?.getReader()
    const decoder = new TextDecoder()
    // Each chunk is looked through once: a line may be of a great many.
    let rest: string[] = []
    while (reader !== undefined) {
      const { done, value } = await watched(reader.read())
      if (done) return
      const [end = '', ...begun] = decoder.decode(value, { stream: true }).split('\n')
      rest.push(end)
      for (const next of begun) {
        const line = rest.join('')
        rest = [next]
        yield line
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    ended.abort()
  }
}
