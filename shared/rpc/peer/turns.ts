/** How calls that take long leave others the machine. */
import { nextTurn } from '../../primitives/next-turn.ts'

export interface Turns {
  /**
   * Asked before a call that came alone, or a batch, is begun: undefined where it may begin at once, else what resolves when
   * there is time for it. Throws `link-busy` where too many wait already.
   */
  before(method: string): Promise<void> | undefined
  /** Resolves when others have had a turn. */
  next(): Promise<void>
}

/** Of a link that shares the machine with no other. */
export const ownTurns: Turns = { before: () => undefined, next: nextTurn }

/** Others get the machine at least so often. */
export const LONGEST_TURN_MS = 5
