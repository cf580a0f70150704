/**
 * What the people of a session say to each other.
 *
 * INVARIANTS: a line is on disk before anybody hears it; the last `KEPT_LINES` of a session are kept while it lasts, or the
 * rest of it that somebody has, or its booking that is to go on at another bench, and nothing of it once it is over, also
 * when the hub was killed in between.
 */
import { KEPT_LINES, type LiveParams } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Store } from '../store/store.ts'
import type { RoomPerson } from './room.ts'
import type { Sessions } from './sessions.ts'

export type ChatLine = LiveParams<'chat'>

export interface SessionChat {
  /** Keeps a line; throws `session-ended`. */
  say(id: string, from: RoomPerson, text: string): Promise<ChatLine>
  /** What was said, the oldest first. */
  linesOf(id: string): Promise<ChatLine[]>
  close(): void
}

export interface CreateSessionChatOptions {
  readonly store: Store
  readonly sessions: Pick<Sessions, 'isOpen' | 'onChange'>
  readonly clock: Clock
  readonly log: Log
}

const AGAIN_MS = 60_000

/** The chat of every session; forgets first what is left of those that are over. */
export async function createSessionChat({
  store,
  sessions,
  clock,
  log,
}: CreateSessionChatOptions): Promise<SessionChat> {
  const { db } = store
  const rows = await db.selectFrom('live_chat').select('run_id').distinct().execute()
  /** Sessions of which something is kept. */
  const kept = new Set(rows.map(({ run_id }) => run_id))
  const newest = await db
    .selectFrom('live_chat')
    .select(({ fn }) => fn.max('at').as('at'))
    .executeTakeFirst()
  /** Lines stand in the order in which they were said, also when the clock was set back. */
  let lastAt = newest?.at ?? 0
  let cancelAgain = () => {}
  /** Sessions that are over, whose booking goes on. */
  const awaited = new Set<string>()

  /** What has the rest of it, and whether its booking waits for another bench: of one moment. */
  const whatFollows = async (id: string) => {
    const row = await db
      .selectFrom('live_session')
      .innerJoin('run', 'run.id', 'live_session.run_id')
      .leftJoin('booking', (join) =>
        join
          .onRef('booking.id', '=', 'run.booking_id')
          .on('booking.state', '=', 'booked')
          .on('booking.began_at', 'is not', null)
          .on('booking.run_id', 'is', null)
          .on('booking.ends_at', '>', clock.now()),
      )
      .select(['live_session.next_id', 'booking.id as booking'])
      .where('live_session.run_id', '=', id)
      .executeTakeFirst()
    return { next: row?.next_id ?? null, goesOn: row?.booking != null }
  }

  const forgetIfOver = async (id: string): Promise<void> => {
    if (!kept.has(id) || sessions.isOpen(id)) return
    const { next, goesOn } = await whatFollows(id)
    if (next === null && goesOn) {
      awaited.add(id)
      lookAgainLater()
      return
    }
    awaited.delete(id)
    if (next === null) await store.write([db.deleteFrom('live_chat').where('run_id', '=', id)])
    else {
      kept.add(next)
      await store.write([db.updateTable('live_chat').set({ run_id: next }).where('run_id', '=', id)])
    }
    kept.delete(id)
    if (next !== null) await forgetIfOver(next)
  }
  const look = (id: string): Promise<void> =>
    forgetIfOver(id).catch((error: unknown) => {
      log.warn({ session: id, error: asLabError(error).message }, 'the chat of a session could not be forgotten')
      lookAgainLater()
    })
  const lookAgainLater = () => {
    cancelAgain()
    cancelAgain = clock.after(AGAIN_MS, () => {
      for (const one of kept) void look(one)
    })
  }
  for (const id of kept) await look(id)

  const stop = sessions.onChange(({ runId, kind }) => {
    if (kind !== 'state') return
    void look(runId)
    // It may be the one that goes on.
    for (const id of awaited) if (id !== runId) void look(id)
  })

  return {
    say: async (id, from, text) => {
      if (!sessions.isOpen(id)) {
        throw new LabError({ code: 'session-ended', kind: 'caller', message: `session ${id} has ended` })
      }
      const at = clock.now()
      lastAt = Math.max(lastAt, at)
      const line = { id: newId(lastAt), from, text, at: new Date(at).toISOString() }
      kept.add(id)
      const lastLines = db
        .selectFrom('live_chat')
        .select('id')
        .where('run_id', '=', id)
        .orderBy('id', 'desc')
        .limit(KEPT_LINES)
      await store.write([
        db.insertInto('live_chat').values({ run_id: id, id: line.id, person_id: from.id, text, at }),
        db.deleteFrom('live_chat').where('run_id', '=', id).where('id', 'not in', lastLines),
      ])
      return line
    },
    linesOf: async (id) => {
      const lines = await db
        .selectFrom('live_chat')
        .innerJoin('user', 'user.id', 'live_chat.person_id')
        .select(['live_chat.id', 'user.id as person', 'name', 'text', 'at'])
        .where('run_id', '=', id)
        .orderBy('live_chat.id')
        .execute()
      return lines.map(({ id: line, person, name, text, at }) => ({
        id: line,
        from: { id: person, name },
        text,
        at: new Date(at).toISOString(),
      }))
    },
    close: () => {
      stop()
      cancelAgain()
    },
  }
}
