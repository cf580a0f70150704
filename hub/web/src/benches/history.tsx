import type { BenchChange, BenchHistory, ShownUptime } from '@fernlab/shared/contracts/bench-checks'
import { IconAlertTriangle, IconCircleCheck, IconPlugConnectedX, IconTool } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './health.module.css'

const dayMs = 86_400_000
/** What a strip of a phone's width can still show. */
const leastWidth = 3
const shownAtFirst = 5

const marks = {
  up: ['free', IconCircleCheck],
  maintenance: ['maintenance', IconTool],
  offline: ['offline', IconPlugConnectedX],
  fault: ['fault', IconAlertTriangle],
} as const

/** Uptime in numbers, the last 30 days as a strip, and every change in words. */
export function History({ bench, history: { uptime, changes } }: { bench: string; history: BenchHistory }) {
  const { t } = useWords()
  const [all, setAll] = useState(false)
  const month = uptime.at(-1)
  return (
    <>
      <dl className={styles.uptime}>
        {uptime.map((one) => (
          <div key={one.days}>
            <dt>{one.days === 1 ? t('benches.upDay') : t('benches.upDays', { n: one.days })}</dt>
            <dd>
              <Share {...one} />
            </dd>
          </div>
        ))}
      </dl>
      {month === undefined ? null : <Strip changes={changes} month={month} />}
      <ol className={styles.changes} aria-label={t('benches.changes')}>
        {(all ? changes : changes.slice(0, shownAtFirst)).map((change) => (
          <Change key={change.at + change.state} change={change} />
        ))}
      </ol>
      <p className={styles.more}>
        {!all && changes.length > shownAtFirst ? (
          <button type="button" className={styles.showAll} onClick={() => setAll(true)}>
            {t('benches.changesAll', { count: changes.length })}
          </button>
        ) : null}
        <a href={`/api/v1/benches/${bench}/history.csv`} download>
          {t('benches.changesFile')}
        </a>
      </p>
    </>
  )
}

/** Rounded down: what was not up all the time is never shown as if it was. */
function Share({ share }: ShownUptime) {
  const { t, language } = useWords()
  if (share === null) return <span className="soft">{t('benches.upUnknown')}</span>
  const rounded = Math.floor(share * 1000) / 1000
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(rounded)
}

function Strip({ changes, month }: { changes: readonly BenchChange[]; month: ShownUptime }) {
  const { t, duration } = useWords()
  const now = Date.now()
  const from = now - month.days * dayMs
  const at = (ms: number) => (Math.max(0, ms - from) / (now - from)) * 1000
  const words = [
    t('benches.stripUp', { time: duration(month.upS) }),
    month.plannedS > 0 ? t('benches.stripPlanned', { time: duration(month.plannedS) }) : '',
    month.downS > 0 ? t('benches.stripDown', { time: duration(month.downS) }) : '',
  ].filter((part) => part !== '')
  return (
    <div>
      <svg
        className={styles.strip}
        viewBox="0 0 1000 12"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${t('benches.strip', { n: month.days })}: ${words.join(', ')}`}
      >
        {[...changes].reverse().map(({ at: begins, until, state }) => {
          const x = at(Date.parse(begins))
          const width = at(until === undefined ? now : Date.parse(until)) - x
          // What is short is drawn on top and wide enough to be seen.
          return (
            <rect
              key={begins + state}
              className={styles.span}
              data-state={state}
              x={x}
              y={0}
              width={state === 'up' ? width : Math.max(leastWidth, width)}
              height={12}
            />
          )
        })}
      </svg>
      <p className={styles.axis} aria-hidden="true">
        <span>{t('benches.stripBegin', { n: month.days })}</span>
        <span>{t('benches.stripEnd')}</span>
      </p>
    </div>
  )
}

function Change({ change: { at, until, state, cause, reason: why, run, by } }: { change: BenchChange }) {
  const { t, reason, duration, soonTime } = useWords()
  const [tone, Icon] = marks[state]
  const lastedS = ((until === undefined ? Date.now() : Date.parse(until)) - Date.parse(at)) / 1000
  return (
    <li className={styles.change}>
      <Mark tone={tone} Icon={Icon} word={t(`benches.condition.${state}`)} />
      <span>{soonTime(at)}</span>
      <span className="soft">
        {until === undefined
          ? t('benches.since', { time: duration(lastedS) })
          : t('benches.lasted', { time: duration(lastedS) })}
      </span>
      <span className={styles.why}>
        {[
          why === undefined ? (cause === 'node' ? t('benches.causeNode') : '') : reason(why),
          by === undefined ? '' : t('benches.outBy', { name: by }),
        ]
          .filter((part) => part !== '')
          .join(', ')}
      </span>
      {run === undefined ? null : (
        <Link to="/runs/$runId" params={{ runId: run }}>
          {t('benches.checkRun')}
        </Link>
      )}
    </li>
  )
}
