/** What was done in a use, one by one: the commands that were given by hand, and who took its results as files. */
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM } from '@fernlab/shared/contracts/session-columns'
import type { UseDetail, UserOf } from '@fernlab/shared/contracts/usage'
import { docIn, latestAttempt, pageBodies, startOf } from '../results/pages.ts'
import type { Store } from '../store/store.ts'

export type GivenCommand = UseDetail['given'][number]
export type TakenFile = UseDetail['taken'][number]

export interface UseRecord {
  /** In order, with the node's times told as the hub's. */
  commands(runId: string): AsyncGenerator<GivenCommand, void>
  /** The earliest first. */
  files(runId: string): AsyncGenerator<TakenFile, void>
}

const AT_ONCE = 500

/** Reads what the documents and the downloads of a run say. */
export function createUseRecord({
  store,
  named,
}: {
  readonly store: Store
  readonly named: (ids: readonly string[]) => Promise<(id: string) => UserOf>
}): UseRecord {
  return {
    commands: async function* (runId) {
      const attempt = await latestAttempt(store, runId)
      if (attempt === undefined) return
      const offsetMs = (await startOf(store, runId, attempt))?.clockOffsetMs ?? 0
      const key = { runId, attempt, stream: COMMANDS_STREAM }
      for await (const bodies of pageBodies(store, key, Number.MAX_SAFE_INTEGER)) {
        const rows = bodies.flatMap((body) => rowsOf(docIn<EventPageDoc>(body), offsetMs))
        const who = await named(rows.map(({ by }) => by))
        // The first row says that it began, the last that it ended.
        for (const row of rows) if (row.what !== 'begin' && row.what !== 'end') yield { ...row, by: who(row.by) }
      }
    },
    files: async function* (runId) {
      for (let after = 0; ; ) {
        const rows = await store.db
          .selectFrom('run_download')
          .select(['id', 'at', 'person_id', 'what'])
          .where('run_id', '=', runId)
          .where('id', '>', after)
          .orderBy('id')
          .limit(AT_ONCE)
          .execute()
        const who = await named(rows.map(({ person_id }) => person_id))
        for (const { at, person_id, what } of rows) yield { at: iso(at), by: who(person_id), what }
        const last = rows.at(-1)
        if (last === undefined || rows.length < AT_ONCE) return
        after = last.id
      }
    },
  }
}

function rowsOf({ time, columns }: EventPageDoc, offsetMs: number) {
  return [...time].map((seconds, row) => {
    const text = (name: string) => String(columns[name]?.[row] ?? '')
    return {
      at: iso(seconds * 1000 - offsetMs),
      by: text('by'),
      what: text('what'),
      target: text('target'),
      value: text('value'),
      outcome: text('outcome'),
    }
  })
}

const iso = (ms: number) => new Date(ms).toISOString()
