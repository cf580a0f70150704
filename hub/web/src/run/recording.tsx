import type { Run } from '@fernlab/shared/contracts/api'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import { ActionIcon, Button } from '@mantine/core'
import { IconMovie, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type RefObject, useEffect, useMemo, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { bytes } from '../words/bytes.ts'
import { clockTime } from '../words/time.ts'
import { useWords } from '../words/use-words.ts'
import { filmsIn, nearestFrame } from './film.ts'
import { plain } from './plots.ts'
import { RecordedPicture } from './recorded-picture.tsx'
import styles from './recording.module.css'
import { recordingQuery } from './recording-queries.ts'

interface Props {
  readonly run: Run
  readonly final: boolean
  /** The charts call it with the moment of their cursor, in epoch seconds. */
  readonly onMoment: RefObject<(time: number) => void>
}

/** What cameras saw at the moment of the chart's cursor, of the slider, or as it is played. */
export default function RecordingOfRun({ run, final, onMoment }: Props) {
  const { t, language } = useWords()
  const recording = useQuery(recordingQuery(useApi(), run.id, run.attempt, final))
  const films = useMemo(() => filmsIn(recording.data ?? { cameras: [] }), [recording.data])
  const frames = films[0]?.frames ?? []
  const [wanted, setWanted] = useState<number>()
  const [playing, setPlaying] = useState(false)
  const first = frames[0]?.time ?? 0
  const last = frames.at(-1)?.time ?? 0
  const moment = wanted ?? first

  useEffect(() => {
    onMoment.current = (time) => {
      setPlaying(false)
      setWanted(time)
    }
    return () => {
      onMoment.current = () => {}
    }
  }, [onMoment])
  useEffect(() => {
    if (!playing) return
    const began = { moment: 0, at: 0 }
    let request = 0
    const step = (at: number) => {
      setWanted((now = first) => {
        if (began.at === 0) Object.assign(began, { at, moment: now >= last ? first : now })
        return Math.min(last, began.moment + (at - began.at) / 1000)
      })
      request = requestAnimationFrame(step)
    }
    request = requestAnimationFrame(step)
    return () => cancelAnimationFrame(request)
  }, [playing, first, last])
  useEffect(() => {
    if (playing && moment >= last) setPlaying(false)
  }, [playing, moment, last])

  if (recording.error !== null) return <ProblemNotice error={recording.error} />
  if (frames.length === 0) return null
  const at = nearestFrame(frames, moment)
  const time = clockTime(new Date(moment * 1000).toISOString(), language)
  return (
    <section aria-labelledby="recording">
      <h2 id="recording">{t('film.recording')}</h2>
      <div className={styles.films}>
        {films.map((film) => (
          <RecordedPicture key={film.part} run={run} film={film} moment={moment} />
        ))}
      </div>
      <div className={styles.controls}>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={t(playing ? 'film.pause' : 'film.play')}
          onClick={() => setPlaying(!playing)}
        >
          {playing ? <IconPlayerPause size={18} aria-hidden="true" /> : <IconPlayerPlay size={18} aria-hidden="true" />}
        </ActionIcon>
        <input
          className={styles.slider}
          type="range"
          min={0}
          max={frames.length - 1}
          step={1}
          value={at}
          aria-label={t('film.moment')}
          aria-valuetext={time}
          onChange={({ currentTarget }) => {
            setPlaying(false)
            setWanted(frames[currentTarget.valueAsNumber]?.time)
          }}
        />
      </div>
      <FilmFiles run={run} cameras={recording.data?.cameras ?? []} />
    </section>
  )
}

/** Each camera's film to take home as one file, and the times of its pictures. */
function FilmFiles({ run, cameras }: { run: Run; cameras: Recording['cameras'] }) {
  const { t, language } = useWords()
  const query = `?attempt=${run.attempt}`
  return (
    <>
      {cameras.map(({ part, bytes: size }) => {
        const base = `/api/v1/runs/${run.id}/recording/${part}`
        return (
          <div key={part} className={styles.files}>
            <Button
              component="a"
              variant="default"
              size="sm"
              href={`${base}/film.mkv${query}`}
              download
              leftSection={<IconMovie size={16} aria-hidden="true" />}
            >
              {t('film.saveFilm', { part: plain(part), size: bytes(size, language) })}
            </Button>
            <a href={`${base}/times.csv${query}`} download>
              {t('film.saveFilmTimes', { part: plain(part) })}
            </a>
          </div>
        )
      })}
      <p className="soft">{t('film.filmPlayers')}</p>
    </>
  )
}
