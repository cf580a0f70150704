import type { Bench } from '@fernlab/shared/contracts/api'
import type { CalibrationRecord, Curve } from '@fernlab/shared/contracts/calibrations'
import { isExpired, lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { calibrationsQuery, meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import { type CalibratedSignal, numbersOf } from './bench-signals.ts'
import styles from './health.module.css'
import { UndoCalibration } from './undo-calibration.tsx'

const CalibrateDialog = lazy(() => import('./calibrate-dialog.tsx'))

interface Calibrated {
  readonly signal: string
  readonly history: readonly CalibrationRecord[]
  readonly record: CalibrationRecord
  /** Null where it was cleared, which can be undone too. */
  readonly curve: Curve | null
}

/**
 * By what the bench's readings are calibrated, while its node is there to say so, and the ways to calibrate and to undo it;
 * for staff and lab builders.
 */
export function Calibrations({ bench }: { bench: Bench }) {
  const { t } = useWords()
  const api = useApi()
  const role = useQuery(meQuery(api)).data?.role
  const shown = (isStaff(role) || role === 'builder') && bench.state !== 'offline'
  const { data, error, refetch } = useQuery({ ...calibrationsQuery(api, bench.node), enabled: shown })
  const [calibrating, setCalibrating] = useState<CalibratedSignal>()
  const [undoing, setUndoing] = useState<Calibrated>()
  const [done, setDone] = useState('')
  const signals = numbersOf(bench)
  const [first] = signals
  const own = new Set(Object.values(bench.parts).map(({ instrument }) => instrument))
  const rows = (data?.items ?? []).flatMap(({ signal, history }): Calibrated[] => {
    const record = lastGood(history)
    const isOwn = own.has(signal.slice(0, signal.indexOf('.')))
    const isShown = record !== undefined && (record.curve !== null || hasCurve(history))
    return isOwn && isShown ? [{ signal, history, record, curve: record.curve }] : []
  })
  if (!shown || (rows.length === 0 && error === null && first === undefined)) return null
  return (
    <section className={styles.health} aria-labelledby="calibrations">
      <div className={styles.head}>
        <h2 id="calibrations">{t('benches.calibrations')}</h2>
        {first === undefined ? null : (
          <Button variant="default" size="xs" onClick={() => setCalibrating(first)}>
            {t('calibrate.open')}
          </Button>
        )}
      </div>
      <p role="status" className={done === '' ? 'visually-hidden' : undefined}>
        {done}
      </p>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {data !== undefined && rows.length === 0 ? <p className="soft">{t('benches.calibrationNone')}</p> : null}
      <ul className={styles.checks}>
        {rows.map((row) => (
          <Row
            key={row.signal}
            calibrated={row}
            onCalibrate={calibrates(signals, row, setCalibrating)}
            onUndo={() => setUndoing(row)}
          />
        ))}
      </ul>
      {calibrating === undefined ? null : (
        <Suspense>
          <CalibrateDialog
            bench={bench}
            signals={signals}
            first={calibrating}
            onClose={() => setCalibrating(undefined)}
            onDone={(signal) => {
              setCalibrating(undefined)
              setDone(t('calibrate.saved', { signal }))
            }}
          />
        </Suspense>
      )}
      {undoing === undefined ? null : (
        <UndoCalibration
          node={bench.node}
          signal={undoing.signal}
          history={undoing.history}
          onClose={() => setUndoing(undefined)}
          onDone={(restored) => {
            setUndoing(undefined)
            setDone(t(restored ? 'calibrate.restored' : 'calibrate.undone', { signal: undoing.signal }))
          }}
        />
      )}
    </section>
  )
}

/** Whether one of them, that was not undone, is more than an end of those before it. */
const hasCurve = (history: readonly CalibrationRecord[]): boolean =>
  history.some(({ curve, undone }) => curve !== null && undone === undefined)

/** Undefined for a signal that the instrument has no more. */
function calibrates(
  signals: readonly CalibratedSignal[],
  { signal }: Calibrated,
  calibrate: (one: CalibratedSignal) => void,
): (() => void) | undefined {
  const found = signals.find(({ key }) => key === signal)
  return found === undefined ? undefined : () => calibrate(found)
}

interface RowProps {
  readonly calibrated: Calibrated
  readonly onCalibrate: (() => void) | undefined
  readonly onUndo: () => void
}

function Row({ calibrated: { signal, record, curve }, onCalibrate, onUndo }: RowProps) {
  const { t, date } = useWords()
  const { by, at, validUntil, note } = record
  // Noon: the same day wherever the page is read.
  const until = validUntil === undefined ? undefined : date(`${validUntil}T12:00:00Z`)
  return (
    <li className={styles.check}>
      {curve === null ? (
        <Mark tone="offline" Icon={IconCircleDashed} word={t('benches.calibrationCleared')} />
      ) : isExpired(record, Date.now()) ? (
        <Mark tone="waiting" Icon={IconAlertTriangle} word={t('benches.calibrationOver', { date: until })} />
      ) : (
        <Mark
          tone="free"
          Icon={IconCircleCheck}
          word={until === undefined ? t('benches.calibrationGood') : t('benches.calibrationUntil', { date: until })}
        />
      )}
      <span className={styles.title}>{signal}</span>
      {curve === null ? null : <span>{t(`benches.calibrationForm.${curve.form}`)}</span>}
      <span className="soft">{t('benches.calibrationBy', { name: by, date: date(at) })}</span>
      {note === undefined ? null : <span className={styles.why}>{note}</span>}
      <span className={styles.hands}>
        {onCalibrate === undefined ? null : (
          <Button size="xs" variant="default" aria-label={t('calibrate.again', { signal })} onClick={onCalibrate}>
            {t('calibrate.title')}
          </Button>
        )}
        <Button size="xs" variant="default" aria-label={t('calibrate.undoOf', { signal })} onClick={onUndo}>
          {t('calibrate.undo')}
        </Button>
      </span>
    </li>
  )
}
