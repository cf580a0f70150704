/**
 * Films of sessions as files: what a camera recorded of an attempt as one video, and the times of its pictures as CSV.
 *
 * INVARIANTS: memory holds one piece at a time, and what is skipped is not read; a file is that of the pieces which are there
 * when it is asked for, and has a tag of its own as long as no more come.
 */
import { jpegSize } from '@fernlab/shared/contracts/jpeg-size'
import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import { LEAST_APART_S } from '@fernlab/shared/contracts/recordings'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { filmTimes } from './film-times.ts'
import { clusterBytes, filmLayout } from './matroska.ts'
import type { Recorded } from './recorded.ts'

type Bytes = AsyncGenerator<Uint8Array, void, void>

export interface FilmFile {
  readonly bytes: number
  /** Strong: of the same tag are the same bytes. */
  readonly tag: string
  /** The bytes from one to before another. */
  content(from: number, to: number): Bytes
}

export interface FilmKey {
  readonly runId: string
  readonly attempt: number
  readonly part: string
}

/** The film of a camera as a file; throws `recording-unknown`. */
export async function filmFile(recorded: Recorded, key: FilmKey, title: string): Promise<FilmFile> {
  const pieces = await recorded.pieces(key)
  const shown = filmTimes(pieces.map(({ times }) => times))
  const [first] = pieces
  const begins = first?.times[0]
  if (first === undefined || begins === undefined) throw noFilm(key)
  const [picture] = unpackPictures(await recorded.piece({ ...key, number: first.number }))
  const size = picture === undefined ? undefined : jpegSize(picture.jpeg)
  const facts = {
    title,
    part: key.part,
    width: size?.width ?? 0,
    height: size?.height ?? 0,
    beganMs: begins * 1000,
    lengthMs: (shown.at(-1)?.at(-1) ?? 0) + LEAST_APART_S * 1000,
  }
  const clusters = pieces.map(({ jpegBytes }, i) => ({ jpegBytes, shownMs: shown[i] ?? [] }))
  const layout = filmLayout(facts, clusters)

  async function* content(from: number, to: number): Bytes {
    if (from < layout.head.length) yield layout.head.subarray(from, to)
    for (const [i, { at, bytes }] of layout.clusters.entries()) {
      const piece = pieces[i]
      if (piece === undefined || at + bytes <= from || at >= to) continue
      const jpegs = unpackPictures(await recorded.piece({ ...key, number: piece.number })).map(({ jpeg }) => jpeg)
      const cluster = clusterBytes(shown[i] ?? [], jpegs)
      // The file would hold something else where the next piece is said to begin.
      if (cluster.length !== bytes) throw damaged(key, piece.number)
      yield cluster.subarray(Math.max(0, from - at), Math.min(bytes, to - at))
    }
  }
  const tag = `"${key.attempt}-${key.part}-${pieces.length}-${layout.bytes}"`
  return { bytes: layout.bytes, tag, content }
}

/**
 * When each picture of the film was seen, as CSV (RFC 4180): its number in the file, where it stands there, seconds since the
 * run's start as in the tables of its data, epoch seconds. Throws `recording-unknown`.
 */
export async function filmTimesCsv(recorded: Recorded, key: FilmKey, startedAt: number | undefined): Promise<Bytes> {
  const pieces = await recorded.pieces(key)
  if (pieces.length === 0) throw noFilm(key)
  const shown = filmTimes(pieces.map(({ times }) => times))
  return lines(pieces, shown, startedAt ?? pieces[0]?.times[0] ?? 0)
}

async function* lines(
  pieces: readonly { readonly times: readonly number[] }[],
  shown: readonly (readonly number[])[],
  startedAt: number,
): Bytes {
  const text = new TextEncoder()
  yield text.encode('picture,film_s,time_s,time_epoch_s\r\n')
  let number = 0
  for (const [i, { times }] of pieces.entries()) {
    const rows = times.map((time, at) => {
      const shownMs = shown[i]?.[at] ?? 0
      return `${++number},${(shownMs / 1000).toFixed(3)},${(time - startedAt).toFixed(6)},${time.toFixed(6)}\r\n`
    })
    yield text.encode(rows.join(''))
  }
}

function noFilm({ runId, attempt, part }: FilmKey): LabError {
  const message = `attempt ${attempt} of run ${runId} has no film by ${part}`
  return new LabError({ code: 'recording-unknown', kind: 'caller', message })
}

function damaged({ runId, part }: FilmKey, number: number): LabError {
  const message = `piece ${number} of the film of run ${runId} by ${part} is damaged`
  return new LabError({ code: 'recording-damaged', kind: 'bug', message })
}
