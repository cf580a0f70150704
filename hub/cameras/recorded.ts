/** What cameras have recorded of sessions, as it is read. */

import { AROUND_PICTURE_BYTES } from '@fernlab/shared/contracts/recording-pieces'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { sql } from 'kysely'
import type { Store } from '../store/store.ts'

export interface Recorded {
  /** What there is of an attempt of a run; with the cursor of an earlier answer, what has come since. */
  of(runId: string, attempt: number, since?: string): Promise<Recording>
  /** A piece; throws `recording-unknown`. */
  piece(key: PieceKey): Promise<Uint8Array>
  /** The pieces of a camera in order; none where it has recorded nothing. */
  pieces(key: Omit<PieceKey, 'number'>): Promise<RecordedPiece[]>
}

interface PieceKey {
  readonly runId: string
  readonly attempt: number
  readonly part: string
  readonly number: number
}

interface RecordedPiece {
  readonly number: number
  readonly times: number[]
  /** Of all its pictures, without what stands around them. */
  readonly jpegBytes: number
}

/** Of the store. */
export function createRecorded(store: Pick<Store, 'db'>): Recorded {
  return {
    of: async (runId, attempt, since = '0') => {
      const rows = await store.db
        .selectFrom('recording')
        .select(['id', 'part', 'number', 'times', sql<number>`length(pictures)`.as('bytes')])
        .where('run_id', '=', runId)
        .where('attempt', '=', attempt)
        // Rows are counted in the order in which they are committed.
        .where('id', '>', Number(since))
        .orderBy('part')
        .orderBy('number')
        .execute()
      const cameras = new Map<string, Recording['cameras'][number]>()
      for (const { part, number, times, bytes } of rows) {
        const camera = cameras.get(part) ?? { part, bytes: 0, pieces: [] }
        camera.bytes += bytes
        camera.pieces.push({ number, times: timesIn(times) })
        cameras.set(part, camera)
      }
      const newest = rows.reduce((most, { id }) => Math.max(most, id), Number(since))
      return { attempt, cursor: String(newest), cameras: [...cameras.values()] }
    },
    piece: async ({ runId, attempt, part, number }) => {
      const row = await store.db
        .selectFrom('recording')
        .select('pictures')
        .where('run_id', '=', runId)
        .where('attempt', '=', attempt)
        .where('part', '=', part)
        .where('number', '=', number)
        .executeTakeFirst()
      if (row !== undefined) return row.pictures
      const message = `attempt ${attempt} of run ${runId} has no piece ${number} of a recording by ${part}`
      throw new LabError({ code: 'recording-unknown', kind: 'caller', message })
    },
    pieces: async ({ runId, attempt, part }) => {
      const rows = await store.db
        .selectFrom('recording')
        .select(['number', 'times', sql<number>`length(pictures)`.as('bytes')])
        .where('run_id', '=', runId)
        .where('attempt', '=', attempt)
        .where('part', '=', part)
        .orderBy('number')
        .execute()
      return rows.map(({ number, times: packed, bytes }) => {
        const times = timesIn(packed)
        return { number, times, jpegBytes: bytes - AROUND_PICTURE_BYTES * times.length }
      })
    },
  }
}

/** Times as they stand in the table. */
export function timesBytes(times: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * times.length)
  const view = new DataView(bytes.buffer)
  for (const [i, time] of times.entries()) view.setFloat64(8 * i, time, true)
  return bytes
}

function timesIn(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true))
}
