import type { Bench } from '@fernlab/shared/contracts/api'
import type { CalibrationRecord, Curve } from '@fernlab/shared/contracts/calibrations'
import { isExpired, lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { isStaff } from '@fernlab/shared/contracts/people'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { calibrationsQuery, meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './health.module.css'

/** By what the bench's readings are calibrated, for staff and lab builders, while its node is there to say so. */
export function Calibrations({ bench }: { bench: Bench }) {
  const { t } = useWords()
  const api = useApi()
  const role = useQuery(meQuery(api)).data?.role
  const shown = (isStaff(role) || role === 'builder') && bench.state !== 'offline'
  const { data, error, refetch } = useQuery({ ...calibrationsQuery(api, bench.node), enabled: shown })
  if (!shown) return null
  const own = new Set(Object.values(bench.parts).map(({ instrument }) => instrument))
  const rows = (data?.items ?? []).flatMap(({ signal, history }) => {
    const record = lastGood(history)
    const isOwn = own.has(signal.slice(0, signal.indexOf('.')))
    return isOwn && record !== undefined && record.curve !== null ? [{ signal, record, curve: record.curve }] : []
  })
  if (rows.length === 0 && error === null) return null
  return (
    <section className={styles.health} aria-labelledby="calibrations">
      <div className={styles.head}>
        <h2 id="calibrations">{t('benches.calibrations')}</h2>
      </div>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      <ul className={styles.checks}>
        {rows.map((row) => (
          <Row key={row.signal} {...row} />
        ))}
      </ul>
    </section>
  )
}

function Row({ signal, record, curve }: { signal: string; record: CalibrationRecord; curve: Curve }) {
  const { t, date } = useWords()
  const { by, at, validUntil, note } = record
  // Noon: the same day wherever the page is read.
  const until = validUntil === undefined ? undefined : date(`${validUntil}T12:00:00Z`)
  return (
    <li className={styles.check}>
      {isExpired(record, Date.now()) ? (
        <Mark tone="waiting" Icon={IconAlertTriangle} word={t('benches.calibrationOver', { date: until })} />
      ) : (
        <Mark
          tone="free"
          Icon={IconCircleCheck}
          word={until === undefined ? t('benches.calibrationGood') : t('benches.calibrationUntil', { date: until })}
        />
      )}
      <span className={styles.title}>{signal}</span>
      <span>{t(`benches.calibrationForm.${curve.form}`)}</span>
      <span className="soft">{t('benches.calibrationBy', { name: by, date: date(at) })}</span>
      {note === undefined ? null : <span className={styles.why}>{note}</span>}
    </li>
  )
}
