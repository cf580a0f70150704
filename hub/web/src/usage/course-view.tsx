import type { CourseUsage } from '@fernlab/shared/contracts/usage'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import type { Choice } from './course-people.ts'
import { HeatMap } from './heat-map.tsx'
import { PeopleView } from './people-view.tsx'
import { daysOf } from './period.ts'
import { SimilarView } from './similar-view.tsx'
import { TimelineView } from './timeline-view.tsx'
import { type Asked, coursePath, courseUsageQuery } from './usage-queries.ts'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

interface Props {
  readonly course: string
  readonly asked: Asked
  readonly choice: Choice
  readonly onChoose: (choice: Choice) => void
}

/** Who of a course did what. */
export function CourseView({ course, asked, choice, onChoose }: Props) {
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
        <PeopleView people={people} choice={choice} onChoose={onChoose} search={{ course, ...daysOf(asked) }} />
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
