import type { CourseUsage } from '@fernlab/shared/contracts/usage'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { HeatMap } from './heat-map.tsx'
import { SimilarView } from './similar-view.tsx'
import { TimelineView } from './timeline-view.tsx'
import styles from './usage.module.css'
import { type Asked, coursePath, courseUsageQuery } from './usage-queries.ts'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

/** Who of a course did what. */
export function CourseView({ course, asked }: { course: string; asked: Asked }) {
  const words = useUsageWords()
  const { t } = words
  const usage = useQuery(courseUsageQuery(useApi(), course, asked))
  if (usage.error !== null) return <ProblemNotice error={usage.error} onRetry={() => void usage.refetch()} />
  if (usage.data === undefined) return <Loading />
  const { people, hours } = usage.data
  if (people.length === 0) return <EmptyState title={t('usage.nobody')}>{t('usage.nobodyText')}</EmptyState>
  const last = people
    .flatMap(({ lastAt }) => lastAt ?? [])
    .sort()
    .at(-1)
  return (
    <>
      <View title={t('usage.people')} csv={coursePath(course, '/people.csv', asked)} text={summary(people, words)}>
        <People people={people} />
      </View>
      {last === undefined ? null : (
        <>
          <View title={t('usage.hours')} csv={coursePath(course, '/hours.csv', asked)} text={t('usage.hoursText')}>
            <HeatMap
              name={t('usage.hours')}
              rows={hours.map((values, day) => ({ label: words.weekdays[day] ?? '', values }))}
              say={words.time}
              legend={[t('usage.less'), t('usage.more')]}
            />
          </View>
          <TimelineView key={`${course} ${last}`} course={course} asked={asked} last={last} />
          <SimilarView course={course} asked={asked} />
        </>
      )}
    </>
  )
}

function summary(people: CourseUsage['people'], { t }: ReturnType<typeof useUsageWords>): string {
  const active = people.filter(({ uses }) => uses > 0).length
  return t('usage.active', { active, count: people.length })
}

function People({ people }: Pick<CourseUsage, 'people'>) {
  const { t, labTitle, personName, time, moment } = useUsageWords()
  const most = Math.max(1, ...people.map(({ seconds }) => seconds))
  return (
    <ScrollRegion name={t('usage.people')} className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t('usage.person')}</th>
            <th scope="col" className={styles.number}>
              {t('usage.uses')}
            </th>
            <th scope="col">{t('usage.time')}</th>
            <th scope="col">{t('usage.last')}</th>
            <th scope="col">{t('usage.labs')}</th>
          </tr>
        </thead>
        <tbody>
          {people.map(({ person, uses, seconds, lastAt, labs }) => (
            <tr key={person.id} className={uses === 0 ? styles.idle : undefined}>
              <th scope="row">{personName(person)}</th>
              <td className={styles.number}>{uses}</td>
              <td>
                <span className={styles.inTable} aria-hidden="true">
                  <span className={styles.bar} style={{ width: `${(seconds / most) * 100}%` }} />
                </span>
                {time(seconds)}
              </td>
              <td>{lastAt === undefined ? t('usage.never') : moment(lastAt)}</td>
              <td>
                {labs.map(({ lab, uses: count, lastState }) => (
                  <span key={lab} className={styles.lab}>
                    {labTitle(lab)} ×{count} <span className="soft">({t(`run.${lastState}`)})</span>
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}
