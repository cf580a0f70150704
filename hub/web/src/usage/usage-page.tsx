import { NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { groupsQuery } from '../groups/group-queries.ts'
import { GroupSelect } from '../groups/group-select.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { useWords } from '../words/use-words.ts'
import type { Choice } from './course-people.ts'
import { CourseView } from './course-view.tsx'
import { askedFor, daysOf, type PeriodSearch, periods } from './period.ts'
import { SiteView } from './site-view.tsx'
import styles from './usage.module.css'
import { UsageNav } from './usage-nav.tsx'

export interface UsageSearch extends PeriodSearch, Choice {
  readonly course?: string
}

/** Who used what: of a course for who teaches it, of the whole site for admins. */
export default function UsagePage() {
  const { t } = useWords()
  useTitle(t('usage.title'))
  const api = useApi()
  const search: UsageSearch = useSearch({ from: '/framed/usage' })
  const navigate = useNavigate({ from: '/usage' })
  const admin = useQuery(meQuery(api)).data?.role === 'admin'
  const taught = (useQuery(groupsQuery(api)).data ?? []).filter(({ manages }) => manages)
  const [now] = useState(() => Date.now())
  const asked = askedFor(search, now)
  const course = search.course ?? (admin ? undefined : taught[0]?.id)
  const go = (next: UsageSearch) => void navigate({ search: next, replace: true })
  const { who, lab, standing, sort, ...ofPeriod } = search
  const choice = given({ who, lab, standing, sort })
  const own = search.from !== undefined || search.until !== undefined
  return (
    <Page title={t('usage.title')}>
      <UsageNav search={{ ...(course === undefined ? {} : { course }), ...daysOf(asked) }} />
      <div className={styles.controls}>
        <GroupSelect
          label={t('usage.of')}
          none={admin ? t('usage.site') : t('usage.choose')}
          managed
          value={course ?? ''}
          onChange={({ currentTarget: { value } }) => {
            const { course: _, ...rest } = search
            go(value === '' ? rest : { ...rest, course: value })
          }}
        />
        <NativeSelect
          label={t('usage.period')}
          value={own ? 'own' : (search.days ?? '30')}
          data={[
            ...periods.map((days) => ({ value: days, label: t('usage.lastDays', { count: Number(days) }) })),
            { value: 'own', label: t('usage.own') },
          ]}
          onChange={({ currentTarget: { value } }) => {
            const which = { ...given({ course: search.course }), ...choice }
            if (value !== 'own') go({ ...which, days: value })
            else go({ ...which, ...daysOf(asked) })
          }}
        />
        {own ? (
          <>
            <TextInput
              type="date"
              label={t('usage.from')}
              value={search.from ?? ''}
              onChange={({ currentTarget: { value } }) => go({ ...search, from: value })}
            />
            <TextInput
              type="date"
              label={t('usage.until')}
              value={search.until ?? ''}
              onChange={({ currentTarget: { value } }) => go({ ...search, until: value })}
            />
          </>
        ) : null}
        <p className="soft">{t('usage.zone', { zone: asked.timeZone.replaceAll('_', ' ') })}</p>
      </div>
      {course !== undefined ? (
        <CourseView course={course} asked={asked} choice={choice} onChoose={(next) => go({ ...ofPeriod, ...next })} />
      ) : admin ? (
        <SiteView asked={asked} />
      ) : (
        <EmptyState title={t('usage.noCourse')}>{t('usage.noCourseText')}</EmptyState>
      )}
    </Page>
  )
}

/** Without what is not there. */
const given = <Of extends object>(of: Of): { [Name in keyof Of]?: Exclude<Of[Name], undefined> } =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Of]?: Exclude<Of[Name], undefined>
  }
