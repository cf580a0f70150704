import type { LabSummary } from '@fernlab/shared/contracts/api'
import { Link } from '@tanstack/react-router'
import { BenchMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './catalogue.module.css'
import { Drawing } from './drawing.tsx'
import { useWait } from './wait.ts'

/** One lab of the catalogue; the whole card leads to it. */
export function LabCard({ lab }: { lab: LabSummary }) {
  const words = useWords()
  const wait = useWait(lab)
  const states = [...new Set(lab.benches.map(({ state }) => state))]
  const said = ({ id, title, reason = '' }: LabSummary['benches'][number]) =>
    [title ?? id, words.reason(reason)].filter(Boolean).join(': ')
  // That a bench is free says by itself that nobody waits.
  const isFree =
    lab.estimatedWaitS !== null && lab.estimatedWaitS < 1 && lab.benches.some(({ state }) => state === 'free')
  return (
    <li className={styles.card}>
      <Drawing picture={lab.picture} className={styles.drawing} />
      <div className={styles.cardText}>
        <h2 className={styles.cardTitle}>
          <Link to="/labs/$labId" params={{ labId: lab.id }} className={styles.cardLink}>
            {words.text(lab.title)}
          </Link>
        </h2>
        <p className={styles.summary}>{words.text(lab.summary)}</p>
        <p className={styles.tags}>
          {[words.text(lab.subject), words.text(lab.level)].filter((text) => text !== '').join(' · ')}
        </p>
      </div>
      <div className={styles.foot}>
        <ul className={styles.benches}>
          {states.map((state) => {
            const benches = lab.benches.filter((bench) => bench.state === state)
            return (
              <li key={state} title={benches.map(said).join('\n')}>
                <BenchMark state={state} />
                {benches.length === 1 ? null : ` × ${benches.length}`}
              </li>
            )
          })}
          {lab.benches.length === 0 ? (
            <li className={styles.noBench}>
              {words.t('catalogue.noBench')} {lab.notServedBy?.map(({ reason }) => reason).join('; ')}
            </li>
          ) : null}
        </ul>
        {lab.benches.length === 0 || isFree ? null : <span className={styles.wait}>{wait}</span>}
      </div>
    </li>
  )
}
