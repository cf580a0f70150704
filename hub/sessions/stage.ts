/** What the commands of a session say of where it is. Pure. */
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { type SessionStage, WAS_STOPPED } from '@fernlab/shared/contracts/session-columns'

/** A session while its run is open. */
export interface SessionProgress {
  readonly stage: SessionStage
  readonly seconds: number
  /** Epoch ms on the hub's clock. */
  readonly activeAt: number | null
  /** Null before it is active, and once its person, its time or its lab ended it: nothing of it is left then. */
  readonly endsAt: number | null
}

/** A session that has just been asked for. */
export const newSession = (seconds: number): SessionProgress => ({
  stage: 'preparing',
  seconds,
  activeAt: null,
  endsAt: null,
})

/** A rest that is shorter is not worth a session. */
const LEAST_REST_S = 30

/** Whole seconds that its person loses who has to leave at `fromMs`; 0 when they are not worth another session. */
export function restFrom(session: SessionProgress | undefined, fromMs: number): number {
  if (session?.activeAt == null || session.endsAt === null) return 0
  const restS = Math.floor(Math.min(session.seconds, (session.endsAt - fromMs) / 1000))
  return restS < LEAST_REST_S ? 0 : restS
}

/** The session after a page of its commands; `hubTime` tells a node's seconds as the hub's ms. */
export function afterCommands(
  session: SessionProgress,
  page: EventPageDoc,
  hubTime: (seconds: number) => number,
): SessionProgress {
  const text = (column: string, row: number) => String(page.columns[column]?.[row] ?? '')
  let now = session
  for (let row = 0; row < page.count; row++) {
    const lasts = Number(text('value', row))
    switch (text('what', row)) {
      case 'begin': {
        const activeAt = hubTime(page.time[row] ?? 0)
        now = { stage: 'active', seconds: lasts, activeAt, endsAt: activeAt + lasts * 1000 }
        break
      }
      case 'extend':
        if (now.activeAt !== null) now = { ...now, seconds: lasts, endsAt: now.activeAt + lasts * 1000 }
        break
      case 'finish':
        now = { ...now, endsAt: null }
        break
      case 'end':
        now = { ...now, stage: 'finishing' }
        if (text('value', row) !== JSON.stringify(WAS_STOPPED)) now = { ...now, endsAt: null }
        break
    }
  }
  return now
}
