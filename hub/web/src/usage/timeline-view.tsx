import { Button } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { dayBefore, dayOf, nextDay } from './period.ts'
import styles from './usage.module.css'
import { type Asked, coursePath, timelineQuery } from './usage-queries.ts'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

/** Which uses of a course were on which bench when, a day at a time, the last one first. */
export function TimelineView({ course, asked, last }: { course: string; asked: Asked; last: string }) {
  const { t, labTitle, personName, date, clockTime } = useUsageWords()
  const [day, setDay] = useState(() => dayOf(last))
  const from = day.getTime()
  const to = nextDay(day).getTime()
  const span = { from: day.toISOString(), to: nextDay(day).toISOString(), timeZone: asked.timeZone }
  const timeline = useQuery(timelineQuery(useApi(), course, span))
  const place = (iso: string | undefined) =>
    ((Math.min(to, Math.max(from, iso === undefined ? Date.now() : Date.parse(iso))) - from) / (to - from)) * 100
  const benches = timeline.data?.benches ?? []
  return (
    <View title={t('usage.timeline')} csv={coursePath(course, '/timeline.csv', span)}>
      <div className={styles.days}>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => setDay(dayBefore(day))}
          aria-label={t('usage.dayBefore')}
        >
          <IconChevronLeft size={16} aria-hidden="true" />
        </Button>
        <span aria-live="polite">{date(span.from)}</span>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => setDay(nextDay(day))}
          aria-label={t('usage.dayAfter')}
        >
          <IconChevronRight size={16} aria-hidden="true" />
        </Button>
      </div>
      {timeline.error !== null ? (
        <ProblemNotice error={timeline.error} onRetry={() => void timeline.refetch()} />
      ) : timeline.data === undefined ? (
        <Loading lines={2} />
      ) : benches.length === 0 ? (
        <p className="soft">{t('usage.quietDay')}</p>
      ) : (
        <ScrollRegion name={t('usage.timeline')} className={styles.scroll}>
          <div className={styles.lanes}>
            {benches.map(({ bench, uses, direct }) => (
              <div key={bench} className={styles.lane}>
                <span className={styles.laneName}>{bench}</span>
                <ul className={styles.laneTrack} aria-label={bench}>
                  {uses.map(({ id, person, lab, from: begins, until }) => {
                    const left = place(begins)
                    const text = `${personName(person)}, ${labTitle(lab)}, ${clockTime(begins)}–${until === undefined ? t('usage.now') : clockTime(until)}`
                    return (
                      <li key={`${id} ${begins}`} style={{ left: `${left}%`, width: `${place(until) - left}%` }}>
                        <Link to="/runs/$runId" params={{ runId: id }} aria-label={text} title={text} />
                      </li>
                    )
                  })}
                  {direct.map(({ id, person, from: begins, until }) => {
                    const left = place(begins)
                    const who = person === undefined ? t('direct.staff') : personName(person)
                    const text = `${who}, ${t('direct.byHand')}, ${clockTime(begins)}–${until === undefined ? t('usage.now') : clockTime(until)}`
                    return (
                      <li
                        key={id}
                        className={styles.byHand}
                        style={{ left: `${left}%`, width: `${place(until) - left}%` }}
                      >
                        {person === undefined ? (
                          <span role="img" aria-label={text} title={text} />
                        ) : (
                          <Link to="/usage/direct/$useId" params={{ useId: id }} aria-label={text} title={text} />
                        )}
                      </li>
                    )
                  })}
                </ul>
              </div>
            ))}
            <div className={styles.lane} aria-hidden="true">
              <span />
              <span className={styles.clock}>
                {[0, 6, 12, 18, 24].map((hour) => (
                  <span key={hour}>{hour}</span>
                ))}
              </span>
            </div>
          </div>
        </ScrollRegion>
      )}
      {benches.some(({ direct }) => direct.length > 0) ? (
        <p className={styles.legend}>
          <span className={styles.byHandSwatch} aria-hidden="true" /> {t('direct.byHand')}
        </p>
      ) : null}
    </View>
  )
}
