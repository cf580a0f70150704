/** What the commands of a session say of where it is. Pure. */
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import type { SessionStage } from '@fernlab/shared/contracts/session-columns'

/** A session while its run is open. */
export interface SessionProgress {
  readonly stage: SessionStage
  readonly seconds: number
  /** Epoch ms on the hub's clock. */
  readonly activeAt: number | null
  readonly endsAt: number | null
}

/** A session that has just been asked for. */
export const newSession = (seconds: number): SessionProgress => ({
  stage: 'preparing',
  seconds,
  activeAt: null,
  endsAt: null,
})

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
      case 'end':
        now = { ...now, stage: 'finishing' }
        break
    }
  }
  return now
}
