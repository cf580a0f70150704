import type { Run } from '@fernlab/shared/contracts/api'
import { IconHandMove } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import rows from '../frame/link-rows.module.css'
import { isSession } from '../session/session-run.ts'
import { isFinal } from '../states/run-states.ts'
import { RunMark } from '../states/state-mark.tsx'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './runs.module.css'

interface Props {
  readonly runs: readonly Run[]
  readonly withLab?: boolean
  /** Where they are not all of one person. */
  readonly withPerson?: boolean
}

/** Runs one a line: state, lab and protocol, whose, main result, when. */
export function RunList({ runs, withLab = true, withPerson = false }: Props) {
  const words = useWords()
  return (
    <ul className={`${rows.list} ${styles.list}`}>
      {runs.map((run) => (
        <li key={run.id} className={`${rows.row} ${styles.row}`}>
          <span className={styles.state}>
            <RunMark state={run.state} />
          </span>
          <span className={`${rows.stack} ${styles.name}`}>
            <Link {...placeOf(run)} className={rows.link}>
              {isSession(run) ? <IconHandMove size={16} aria-hidden="true" className={styles.hand} /> : null}
              {withLab ? `${words.text(run.labTitle) || run.lab}: ` : ''}
              {words.text(run.protocolTitle) || run.protocol}
            </Link>
            {withPerson ? <span className={styles.person}>{run.person.name}</span> : null}
            <span className={rows.note}>{run.note ?? waiting(run, words)}</span>
          </span>
          <span className={styles.result}>{mainResult(run, words)}</span>
          <time className={styles.when} dateTime={run.createdAt} title={words.absolute(run.createdAt)}>
            {words.moment(run.createdAt)}
          </time>
        </li>
      ))}
    </ul>
  )
}

/** A live session is driven on its own page; what it has recorded is on the run's. */
const placeOf = (run: Run) =>
  isSession(run) && !isFinal(run.state)
    ? ({ to: '/sessions/$sessionId', params: { sessionId: run.id } } as const)
    : ({ to: '/runs/$runId', params: { runId: run.id } } as const)

function mainResult(run: Run, words: ReturnType<typeof useWords>): string {
  const first = Object.entries(run.outputs)[0]
  if (first === undefined) return ''
  const [name, { value, unit, uncertainty }] = first
  const title = words.text(run.outputTitles?.[name]) || name.replaceAll('_', ' ')
  return `${title} = ${quantityIn(words.t, value, unit, uncertainty === undefined ? {} : { uncertainty })}`
}

function waiting(run: Run, { t, about, trouble }: ReturnType<typeof useWords>): string {
  if (run.state === 'queued' && run.estimatedStart !== undefined) {
    const seconds = (Date.parse(run.estimatedStart) - Date.now()) / 1000
    return t('turn.in', { time: seconds < 5 ? t('time.soon') : about(seconds) })
  }
  return run.state === 'failed' || run.state === 'interrupted' ? trouble(run) : ''
}
