/** What goes on over as many answers of a hub as it takes. */
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, type LabError } from '../../primitives/lab-error.ts'

export interface PatienceOptions {
  /** Ends it, with its reason: `AbortSignal.timeout(60_000)`. */
  readonly signal?: AbortSignal
  /** How long the hub may be away while it is waited for, in seconds; 60 unless given. What the program does with what came is none of it. */
  readonly patienceS?: number
}

/** `over` for good; else it is opened again, at once for what comes `next`, or a moment later where it was `cut`. */
export type Ending = 'over' | 'next' | 'cut'

const RETRY_MS = 1000

/**
 * Opened again where it breaks while the hub is away. `heard` says that it is there. Throws what is refused, and
 * `hub-unreachable` when the patience is over.
 */
export async function* resumed<Item>(
  clock: Clock,
  { signal, patienceS = 60 }: PatienceOptions,
  open: (heard: () => void) => AsyncGenerator<Item, Ending, void>,
): AsyncGenerator<Item, void, void> {
  let heardAt = clock.monotonic()
  const heard = () => {
    heardAt = clock.monotonic()
  }
  for (;;) {
    let ending: Ending = 'cut'
    const answer = open(heard)
    try {
      for (;;) {
        const { done, value } = await answer.next()
        if (done === true) {
          ending = value
          break
        }
        yield value
        // Nobody listened while the program was busy with it.
        heard()
      }
    } catch (thrown) {
      signal?.throwIfAborted()
      const error = asLabError(thrown)
      if (!mayComeBack(error) || clock.monotonic() - heardAt > patienceS * 1000) throw error
    } finally {
      await answer.return('over')
    }
    if (ending === 'over') return
    if (ending === 'cut') await clock.sleep(RETRY_MS, signal)
  }
}

/** Not what this client does not understand: that stays so. */
const mayComeBack = ({ kind, retry, code }: LabError): boolean =>
  retry !== 'never' || (kind === 'link' && code !== 'unexpected-answer')
