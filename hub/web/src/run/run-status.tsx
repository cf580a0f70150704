import type { Run } from '@fernlab/shared/contracts/api'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { RunMark } from '../states/state-mark.tsx'
import { count } from '../words/quantity.ts'
import { asSentence } from '../words/reasons.ts'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './run.module.css'

interface Props {
  readonly run: Run
  readonly connected: boolean
  readonly final: boolean
  /** Whether the time left is more than an upper bound. */
  readonly exact: boolean
}

/** One line: the state, what it means for the person, progress and time left. */
export function RunStatus({ run, connected, final, exact }: Props) {
  const words = useWords()
  const { t } = words
  const nowMs = useNow(1000)
  const progress = run.state === 'running' ? (run.progress?.fraction ?? 0) : undefined
  const trouble = run.state === 'failed' || run.state === 'interrupted' || run.state === 'inapplicable'
  return (
    <div className={styles.status} data-trouble={trouble || undefined}>
      <div className={styles.statusLine}>
        <span aria-live="polite">
          <RunMark state={run.state} large />
        </span>
        <span className={styles.sentence}>{trouble ? '' : sentence(run, words, nowMs)}</span>
        <span className={styles.timeLeft}>{timing(run, words, nowMs, exact)}</span>
      </div>
      {progress === undefined ? null : (
        <div
          role="progressbar"
          aria-label={t('run.running')}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(progress * 100)}
          className={styles.progress}
        >
          <div style={{ width: `${progress * 100}%` }} />
        </div>
      )}
      {trouble || run.state === 'partial' ? <Trouble run={run} /> : null}
      {final || connected ? null : (
        <p role="status" className={styles.reconnecting}>
          <IconPlugConnectedX size={16} aria-hidden="true" /> {t('runPage.reconnecting')}
        </p>
      )}
      {run.dataRemovedAt === undefined ? null : (
        <p className="soft">{t('runPage.dataRemoved', { time: words.moment(run.dataRemovedAt) })}</p>
      )}
    </div>
  )
}

/** What happened, what was kept, and the code. */
function Trouble({ run }: { run: Run }) {
  const { t, language, trouble } = useWords()
  const rows = Object.values(run.rows).reduce((sum, one) => sum + one, 0)
  const kept =
    rows === 0
      ? t('runPage.keptNothing')
      : t('runPage.kept', { count: rows }).replace(String(rows), count(rows, language))
  return (
    <p className={styles.trouble}>
      {asSentence(trouble(run))} {t('runPage.whatNext', { rows: kept })}{' '}
      {run.error === undefined ? null : <code>{run.error.code}</code>}
    </p>
  )
}

function sentence(run: Run, { t, about, reason }: ReturnType<typeof useWords>, nowMs: number): string {
  if (run.state === 'queued') {
    const inS =
      run.estimatedStart === undefined ? undefined : Math.max(0, (Date.parse(run.estimatedStart) - nowMs) / 1000)
    const time = inS === undefined ? undefined : inS < 5 ? t('time.soon') : about(inS)
    const why = run.waitReason === undefined ? undefined : /\((.+)\)$/.exec(run.waitReason)?.[1]
    const parts = [
      run.reason === undefined ? '' : asSentence(reason(run.reason)),
      time === undefined
        ? asSentence(reason(run.waitReason ?? t('runPage.waitNoTime')))
        : run.position === 1
          ? t('runPage.waitNext', { time })
          : t('runPage.waitTurn', { time }),
      time === undefined || why === undefined ? '' : asSentence(reason(why)),
      run.position !== undefined && run.position > 1 ? t('runPage.before', { count: run.position - 1 }) : '',
      ...(time === undefined ? [] : reasonsBefore(run).map((clause) => asSentence(reason(clause)))),
      t('runPage.leave'),
    ]
    return parts.filter((part) => part !== '').join(' ')
  }
  if (run.state === 'assigned') return t('runPage.starting')
  if (run.state === 'running') return stepName(run.progress?.step)
  return run.state === 'succeeded' || run.state === 'partial' ? '' : reason(run.reason ?? '')
}

/** Why some who came later are before it: what the reason says after the first clause. */
const reasonsBefore = ({ waitReason = '' }: Run): string[] => waitReason.split('; ').slice(1)

/** The step's own label; a path such as `steps[3].record` says nothing to a student. */
const stepName = (step: string | undefined): string => (step === undefined || /[[\].]/.test(step) ? '' : step)

function timing(run: Run, { t, duration, moment }: ReturnType<typeof useWords>, nowMs: number, exact: boolean): string {
  if (run.state === 'running') {
    const left = run.progress?.secondsLeft
    return left === undefined ? '' : t(exact ? 'time.left' : 'time.leftUpTo', { time: duration(left) })
  }
  if (run.endedAt === undefined) return ''
  const when = moment(run.endedAt, nowMs)
  if (run.startedAt === undefined) return when
  const took = (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000
  return `${t('time.took', { time: duration(took) })} · ${when}`
}
