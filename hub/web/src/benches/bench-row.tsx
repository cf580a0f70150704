import type { Bench } from '@fernlab/shared/contracts/api'
import { Checkbox } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import rows from '../frame/link-rows.module.css'
import { BenchMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './benches.module.css'

interface Props {
  readonly bench: Bench
  readonly chosen: boolean
  /** For who may do something to several at once. */
  readonly onChoose: ((chosen: boolean) => void) | undefined
}

/** One bench in the list: how it is and why, what it serves and what it is doing. */
export function BenchRow({ bench, chosen, onChoose }: Props) {
  const words = useWords()
  const { t } = words
  const name = bench.title ?? bench.name
  return (
    <li className={`${rows.row} ${styles.row}`} data-choosable={onChoose === undefined ? undefined : true}>
      {onChoose === undefined ? null : (
        <Checkbox
          className={styles.choose}
          aria-label={t('benches.select', { name })}
          checked={chosen}
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
      )}
      <BenchMark state={bench.state} />
      <span className={styles.name}>
        <Link to="/benches/$benchId" params={{ benchId: bench.id }} className={`${rows.link} ${styles.link}`}>
          <bdi>{name}</bdi>
        </Link>
        <code className={styles.id}>{bench.id}</code>
        {bench.reason === undefined ? null : <span className={styles.reason}>{words.reason(bench.reason)}</span>}
      </span>
      <span className={styles.labs}>
        {bench.labs.length === 0 ? t('benches.noLab') : `${t('benches.serves')} ${bench.labs.join(', ')}`}
      </span>
      <span className={styles.doing}>{doing(bench, words)}</span>
    </li>
  )
}

function doing(bench: Bench, { t, duration }: ReturnType<typeof useWords>): string {
  const what =
    bench.run !== undefined
      ? t('benches.onRun')
      : bench.leased
        ? t('benches.leased')
        : bench.state === 'free'
          ? t('benches.idle')
          : ''
  const since =
    bench.since === undefined
      ? ''
      : t('benches.since', { time: duration((Date.now() - Date.parse(bench.since)) / 1000) })
  return [what, since].filter((part) => part !== '').join(', ')
}
