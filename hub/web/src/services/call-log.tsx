import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { valueText } from './argument-input.ts'
import styles from './service.module.css'
import type { Call, HeardEvent } from './service-link.ts'
import { useSaid } from './use-said.ts'

/** What this page has called, newest first: when, with what, how it came out, and how long it took. */
export function CallLog({
  calls,
  signals,
}: {
  calls: readonly Call[]
  signals: DirectoryService['contract']['signals']
}) {
  const { t, clockTime, value } = useWords()
  const said = useSaid()
  const givenText = ({ what, target, given }: Call) =>
    what === 'set' ? value(given as Scalar, signals[target]?.unit ?? '1') : valueText(given)
  return (
    <div>
      <h2>{t('service.calls')}</h2>
      {calls.length === 0 ? (
        <p className="soft">{t('service.noCalls')}</p>
      ) : (
        <ScrollRegion name={t('service.calls')} className={styles.scroll}>
          <ol className={styles.lines}>
            {calls.map((call) => (
              <li key={call.id}>
                <time className={styles.at}>{clockTime(new Date(call.at).toISOString())}</time>
                <span>
                  {t(`service.done.${call.what}`, {
                    target: signals[call.target]?.title ?? call.target,
                    given: givenText(call),
                  })}
                </span>
                <span className={call.error === undefined ? 'soft' : styles.trouble}>
                  {call.error === undefined ? t(`service.outcome.${call.outcome}`) : said(call.error)}
                  {call.ms === undefined ? '' : `, ${quantityIn(t, Number((call.ms / 1000).toPrecision(2)), 's')}`}
                </span>
              </li>
            ))}
          </ol>
        </ScrollRegion>
      )}
    </div>
  )
}

/** Events of the service since the page was opened, newest first. */
export function EventLog({ events, unheard }: { events: readonly HeardEvent[]; unheard: unknown }) {
  const { t, clockTime } = useWords()
  const said = useSaid()
  return (
    <div>
      <h2>{t('service.events')}</h2>
      {unheard === undefined ? null : <p className={styles.trouble}>{t('service.unheard', { why: said(unheard) })}</p>}
      {events.length === 0 ? (
        <p className="soft">{t('service.noEvents')}</p>
      ) : (
        <ScrollRegion name={t('service.events')} className={styles.scroll}>
          <ol className={styles.lines}>
            {events.map(({ id, at, name, value }) => (
              <li key={id}>
                <time className={styles.at}>{clockTime(new Date(at).toISOString())}</time>
                <b>{name}</b>
                <code>{valueText(value)}</code>
              </li>
            ))}
          </ol>
        </ScrollRegion>
      )}
    </div>
  )
}
