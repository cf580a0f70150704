/** The level of a contact that bounces: what it has been for a while. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Edge } from '../backends/backend.ts'

export interface DebounceOptions {
  /** As the line was at first, and when. */
  readonly level: boolean
  readonly timeMs: number
  /** A level counts once the line has been still for so long; 0: at once. */
  readonly debounceMs: number
  readonly clock: Clock
  /** Asks the line, when it has come to rest. */
  readonly read: () => Promise<boolean>
}

export interface DebounceState {
  readonly level: boolean
  /** Changes of the level since the beginning. */
  readonly edges: number
  /** Epoch ms of the first edge of the change to this level; at first, of the beginning. */
  readonly sinceMs: number
}

export interface Debounce {
  state(): DebounceState
  edge(edge: Edge): void
  close(): void
}

export function createDebounce({ debounceMs, clock, read, ...first }: DebounceOptions): Debounce {
  let state: DebounceState = { level: first.level, edges: 0, sinceMs: first.timeMs }
  let firstEdgeMs: number | undefined
  let cancel = () => {}
  /** Counts edges, so that a reading knows whether it is still the last word. */
  let seen = 0

  const accept = (level: boolean, timeMs: number) => {
    if (level !== state.level) state = { level, edges: state.edges + 1, sinceMs: timeMs }
  }
  const rest = async (firstMs: number, lastLevel: boolean) => {
    const mine = seen
    // A line that is gone says so to whoever asks it next.
    const level = await read().catch(() => lastLevel)
    if (mine !== seen) return
    firstEdgeMs = undefined
    accept(level, firstMs)
  }
  return {
    state: () => state,
    edge: ({ level, timeMs }) => {
      seen += 1
      if (debounceMs === 0) return accept(level, timeMs)
      if (firstEdgeMs === undefined && level === state.level) return
      firstEdgeMs ??= timeMs
      const firstMs = firstEdgeMs
      cancel()
      cancel = clock.after(debounceMs, () => void rest(firstMs, level))
    },
    close: () => {
      seen += 1
      cancel()
    },
  }
}
