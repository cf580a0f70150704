/**
 * Records what cameras see of sessions whose lab says so (`session.film` in lab.yaml).
 *
 * INVARIANTS: nothing is recorded of any other session, nor before one is active or after it is over; a picture is in at
 * most one piece, whole, with its own time, in the order in which they came; a piece is there once it is committed: a hub
 * that is killed loses at most what it had not written; memory is bounded, and a disk that refuses leaves a gap: nothing
 * waits for a recording.
 */
import { readPicture } from '@fernlab/shared/contracts/picture-messages'
import { packPictures } from '@fernlab/shared/contracts/recording-pieces'
import { LEAST_APART_S, MOST_RECORDED_BYTES } from '@fernlab/shared/contracts/recordings'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { sql } from 'kysely'
import type { FaultHook } from '../fault-point.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Store } from '../store/store.ts'
import type { CameraLines } from './camera-lines.ts'
import { timesBytes } from './recorded.ts'

export interface Recorder {
  /** Records no more; resolves when what was seen is written, or was refused. */
  stop(): Promise<void>
}

export interface CreateRecorderOptions {
  readonly store: Pick<Store, 'db' | 'write'>
  readonly sessions: Pick<Sessions, 'onChange' | 'isActive' | 'seat' | 'labOf'>
  readonly lines: Pick<CameraLines, 'look'>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
  /** Throws while the disk has little room: the rest is for what runs measure. */
  readonly requireSpace: () => void
  /** Of an attempt; `MOST_RECORDED_BYTES` unless given. */
  readonly mostBytes?: number
}

/** A film is not what keeps new runs away: so many times the room that those need is left by it. */
export const TIMES_LEFT_BY_FILMS = 4
const PIECE_MS = 1000
const PIECE_BYTES = 1024 * 1024
/** What a slow disk has not taken may be so much, of one camera. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024

interface Film {
  readonly run: string
  readonly attempt: number
  readonly part: string
  number: number
  newest: number
  messages: Uint8Array[]
  times: number[]
  /** Of `messages`, and of those with what is being written. */
  bytes: number
  waiting: number
  isGap: boolean
  work: Promise<void>
  cancelTimer: () => void
  leave: () => void
}

/** Bytes of one attempt, of all its cameras. */
interface Take {
  bytes: number
  readonly films: Film[]
}

/** Begins with the next change of a session that is to be recorded. */
export function createRecorder(options: CreateRecorderOptions): Recorder {
  const { store, sessions, lines, clock, log, faultPoint, requireSpace, mostBytes = MOST_RECORDED_BYTES } = options
  const takes = new Map<string, Promise<Take>>()

  const write = async (
    film: Film,
    piece: { number: number; messages: Uint8Array[]; times: number[]; bytes: number },
  ) => {
    const { run, attempt, part } = film
    const { number, times, messages } = piece
    try {
      requireSpace()
      faultPoint?.('before-recording-commit')
      const values = { run_id: run, attempt, part, number, times: timesBytes(times), pictures: packPictures(messages) }
      await store.write([store.db.insertInto('recording').values(values)])
      faultPoint?.('after-recording-commit')
      film.isGap = false
    } catch (thrown) {
      if (!film.isGap) log.error({ run, part, why: asLabError(thrown).message }, 'a recording has a gap')
      film.isGap = true
    } finally {
      film.waiting -= piece.bytes
    }
  }

  const flush = (film: Film) => {
    film.cancelTimer()
    film.cancelTimer = () => {}
    if (film.messages.length === 0) return
    const { messages, times, bytes } = film
    const piece = { number: film.number++, messages, times, bytes }
    Object.assign(film, { messages: [], times: [], bytes: 0 })
    film.work = film.work.then(() => write(film, piece))
  }

  const seen = (take: Take, film: Film, message: Uint8Array) => {
    const time = readPicture(message)?.time
    if (time === undefined || film.waiting >= MOST_WAITING_BYTES) return
    // A clock that was set back leaves no gap.
    if (Math.abs(time - film.newest) < LEAST_APART_S) return
    if (take.bytes + message.length > mostBytes) {
      log.warn({ run: film.run, part: film.part, bytes: take.bytes }, 'a recording is as large as it may be, and ends')
      for (const each of take.films) each.leave()
      return
    }
    film.newest = time
    film.messages.push(message)
    film.times.push(time)
    film.bytes += message.length
    film.waiting += message.length
    take.bytes += message.length
    if (film.bytes >= PIECE_BYTES) flush(film)
    else if (film.messages.length === 1) film.cancelTimer = clock.after(PIECE_MS, () => flush(film))
  }

  const filmOf = async (run: string, attempt: number, part: string): Promise<Film> => {
    const before = await store.db
      .selectFrom('recording')
      .select(({ fn }) => [fn.max<number | null>('number').as('number')])
      .where('run_id', '=', run)
      .where('attempt', '=', attempt)
      .where('part', '=', part)
      .executeTakeFirst()
    const nothing = { messages: [], times: [], bytes: 0, waiting: 0, isGap: false, work: Promise.resolve() }
    const number = (before?.number ?? -1) + 1
    return { run, attempt, part, number, newest: -Infinity, ...nothing, cancelTimer: () => {}, leave: () => {} }
  }

  const begin = async (run: string): Promise<Take> => {
    const parts = (await sessions.labOf(run))?.lab.session?.film ?? []
    if (parts.length === 0) return { bytes: 0, films: [] }
    const { attempt } = sessions.seat(run)
    const films = await Promise.all(parts.map((part) => filmOf(run, attempt, part)))
    const take: Take = { bytes: await bytesOf(run, attempt), films }
    // All or none, in one turn: it throws where the bench can not be seen now.
    try {
      for (const film of films) look(take, film)
    } catch (thrown) {
      for (const film of films) film.leave()
      await Promise.all(films.map(({ work }) => work))
      throw thrown
    }
    return take
  }

  const look = (take: Take, film: Film) => {
    const { run, part } = film
    const leave = lines.look(run, part, {
      picture: (message) => seen(take, film, message),
      ended: ({ code, message }) => {
        flush(film)
        if (code !== 'session-not-active') log.warn({ run, part, why: message }, 'a camera can not be recorded')
      },
    })
    film.leave = () => {
      leave()
      flush(film)
    }
  }

  const bytesOf = async (run: string, attempt: number): Promise<number> => {
    const row = await store.db
      .selectFrom('recording')
      .select(sql<number | null>`sum(length(pictures))`.as('bytes'))
      .where('run_id', '=', run)
      .where('attempt', '=', attempt)
      .executeTakeFirst()
    return row?.bytes ?? 0
  }

  const end = async (take: Promise<Take>) => {
    const { films } = await take
    for (const film of films) film.leave()
    await Promise.all(films.map(({ work }) => work))
  }

  const stopSessions = sessions.onChange(({ runId, kind }) => {
    if (kind !== 'state' && kind !== 'progress') return
    const known = takes.get(runId)
    if (sessions.isActive(runId)) {
      if (known !== undefined) return
      const begun = begin(runId)
      takes.set(runId, begun)
      begun.catch((thrown: unknown) => {
        // Its node is away: the next change tries again.
        if (takes.get(runId) === begun) takes.delete(runId)
        log.debug({ run: runId, why: asLabError(thrown).message }, 'a recording can not begin yet')
      })
    } else if (known !== undefined) {
      takes.delete(runId)
      ending(end(known))
    }
  })
  const underWay = new Set<Promise<void>>()
  const ending = (work: Promise<void>) => {
    const done = work.catch(() => {}).finally(() => underWay.delete(done))
    underWay.add(done)
  }

  return {
    stop: async () => {
      stopSessions()
      for (const take of takes.values()) ending(end(take))
      takes.clear()
      await Promise.all(underWay)
    },
  }
}
