import type { Run } from '@fernlab/shared/contracts/api'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { marked } from '../words/quantity.ts'
import { clockTime } from '../words/time.ts'
import { useWords } from '../words/use-words.ts'
import { CLOSE_S, type Film, nearestFrame } from './film.ts'
import { plain } from './plots.ts'
import styles from './recording.module.css'
import { pieceQuery } from './recording-queries.ts'

/** The picture of a camera that is nearest to a moment, with its own time and how far it is from the moment. */
export function RecordedPicture({ run, film, moment }: { run: Run; film: Film; moment: number }) {
  const { t, language } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const canvas = useRef<HTMLCanvasElement>(null)
  const frame = film.frames[nearestFrame(film.frames, moment)]
  const { piece: number = 0, index = 0, time = 0 } = frame ?? {}
  const key = { id: run.id, attempt: run.attempt, part: film.part }
  const piece = useQuery(pieceQuery(api, { ...key, number }))
  const jpeg = piece.data?.[index]?.jpeg
  const [broken, setBroken] = useState<Uint8Array>()
  const [isDrawn, setDrawn] = useState(false)
  const isMissing = jpeg === undefined ? piece.isError || piece.isSuccess : jpeg === broken
  const next = film.frames.some(({ piece: one }) => one === number + 1) ? number + 1 : undefined

  // What comes next is there when it is played.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is the run's and the film's
  useEffect(() => {
    if (next !== undefined) void client.prefetchQuery(pieceQuery(api, { ...key, number: next }))
  }, [next, run.id, film.part])
  useEffect(() => {
    if (jpeg === undefined) {
      setDrawn(false)
      return
    }
    let current = true
    void createImageBitmap(new Blob([jpeg as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' })).then(
      (picture) => {
        const at = canvas.current
        if (current && at !== null) {
          if (at.width !== picture.width || at.height !== picture.height) {
            at.width = picture.width
            at.height = picture.height
          }
          at.getContext('2d')?.drawImage(picture, 0, 0)
          at.dataset.time = String(time)
          setDrawn(true)
        }
        picture.close()
      },
      () => {
        if (!current) return
        setBroken(jpeg)
        setDrawn(false)
      },
    )
    return () => {
      current = false
    }
  }, [jpeg, time])

  const iso = new Date(time * 1000).toISOString()
  const at = `${clockTime(iso, language)}.${iso.slice(20, 23)}`
  const away = time - moment
  const name = plain(film.part)
  return (
    <figure className={styles.figure}>
      <canvas
        ref={canvas}
        className={styles.picture}
        // Another moment's picture would stand there with the time of this one, for longer than it takes to draw this one.
        style={{ visibility: isDrawn && jpeg !== undefined && !isMissing ? undefined : 'hidden' }}
        width={4}
        height={3}
        role="img"
        aria-label={t('film.picture', { part: name, time: at })}
      />
      <figcaption className={styles.caption}>
        <time dateTime={iso}>{at}</time>
        {isMissing ? <span role="status">{t('film.pictureMissing')}</span> : null}
        {Math.abs(away) <= CLOSE_S ? null : (
          <span className={styles.away}>
            {t(away < 0 ? 'film.pictureBefore' : 'film.pictureLater', {
              seconds: marked(Math.abs(away).toFixed(2), t),
            })}
          </span>
        )}
      </figcaption>
    </figure>
  )
}
