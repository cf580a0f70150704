/** Tells those who wait for their session when they have moved. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { hasMoved, queueMs } from '../runs/moved.ts'
import type { RunWait } from '../runs/runs.ts'
import type { Rooms } from './rooms.ts'
import type { Sessions } from './sessions.ts'

export interface WaitingRoomsOptions {
  readonly sessions: Pick<Sessions, 'onChange' | 'waitOf'>
  readonly rooms: Pick<Rooms, 'ids' | 'get'>
  readonly clock: Clock
}

/** Looks once after any number of changes, whatever moved, and however many watch; returns how to stop. */
export function followWaitingRooms({ sessions, rooms, clock }: WaitingRoomsOptions): () => void {
  let told = new Map<string, RunWait>()
  let cancelLook: (() => void) | undefined
  const look = () => {
    cancelLook = undefined
    const waiting = new Map<string, RunWait>()
    for (const id of rooms.ids()) {
      const now = sessions.waitOf(id)
      if (now === undefined) continue
      const before = told.get(id)
      const moved = hasMoved(before, now)
      waiting.set(id, moved || before === undefined ? now : before)
      if (moved) rooms.get(id)?.tell('wait', now)
    }
    told = waiting
  }
  const stop = sessions.onChange(({ kind }) => {
    // Any run that comes, starts or ends may move these, and any bench.
    if (kind === 'state' || kind === 'queue') cancelLook ??= clock.after(queueMs, look)
  })
  return () => {
    stop()
    cancelLook?.()
  }
}
