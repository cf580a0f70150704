import type { Run } from '@fernlab/shared/contracts/api'
import { ActionIcon } from '@mantine/core'
import { IconPhotoDown } from '@tabler/icons-react'
import { marked } from '../words/quantity.ts'
import { clockTime } from '../words/time.ts'
import { useWords } from '../words/use-words.ts'
import styles from './pictures.module.css'
import { type PictureOfRun, picturesIn } from './pictures-in.ts'
import { plain } from './plots.ts'
import type { StreamData } from './run-data.ts'

interface Props {
  readonly run: Run
  readonly streams: readonly StreamData[]
}

/** What cameras took into the run, in order, each to be looked at and saved. */
export default function Pictures({ run, streams }: Props) {
  const { t } = useWords()
  const pictures = picturesIn(streams)
  if (pictures.length === 0) return null
  const startedAt = Math.min(...streams.flatMap(({ time }) => time.slice(0, 1)))
  return (
    <section aria-labelledby="pictures">
      <h2 id="pictures">{t('film.pictures')}</h2>
      <ul className={styles.pictures}>
        {pictures.map((picture) => (
          <li key={picture.file}>
            <One run={run} picture={picture} startedAt={startedAt} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function One({
  run,
  picture: { part, file, time },
  startedAt,
}: {
  run: Run
  picture: PictureOfRun
  startedAt: number
}) {
  const { t, language } = useWords()
  const name = plain(part)
  const at = clockTime(new Date(time * 1000).toISOString(), language)
  const after = marked(`${Math.max(0, time - startedAt).toFixed(1)}\u202fs`, t)
  const src = `/api/v1/runs/${run.id}/pictures/${file}?attempt=${run.attempt}`
  return (
    <figure className={styles.figure}>
      <a href={src} target="_blank" rel="noreferrer">
        <img className={styles.picture} src={src} loading="lazy" alt={t('film.picture', { part: name, time: at })} />
      </a>
      <figcaption className={styles.caption}>
        <span>
          <time dateTime={new Date(time * 1000).toISOString()}>{at}</time>{' '}
          <span className="soft">{t('film.pictureAfter', { part: name, after })}</span>
        </span>
        <ActionIcon
          component="a"
          variant="default"
          size="lg"
          href={src}
          download={`${run.id}-${file}`}
          aria-label={t('film.savePicture', { file })}
        >
          <IconPhotoDown size={18} aria-hidden="true" />
        </ActionIcon>
      </figcaption>
    </figure>
  )
}
