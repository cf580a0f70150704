import type { CountrySource } from '@fernlab/shared/contracts/usage'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { Bars } from './bars.tsx'
import { HeatMap } from './heat-map.tsx'
import { daysOf } from './period.ts'
import styles from './usage.module.css'
import { type Asked, sitePath, siteUsageQuery } from './usage-queries.ts'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

/** By what countries are known. */
function sourceText({ database, builtAt, problem }: CountrySource, { t, date }: ReturnType<typeof useUsageWords>) {
  if (database !== undefined && builtAt !== undefined) {
    return t('usage.countriesBy', { database, date: date(builtAt) })
  }
  return problem === undefined ? t('usage.countriesNone') : undefined
}

/** How much of the site was used, how long people waited, and where they came from. */
export function SiteView({ asked }: { asked: Asked }) {
  const words = useUsageWords()
  const { t, time, percent, labTitle } = words
  const usage = useQuery(siteUsageQuery(useApi(), asked))
  if (usage.error !== null) return <ProblemNotice error={usage.error} onRetry={() => void usage.refetch()} />
  if (usage.data === undefined) return <Loading />
  const { uses, people, seconds, directS: byHandS, benches, labs, waits, countries, countrySource, hours } = usage.data
  const days = daysOf(asked)
  if (uses === 0 && byHandS === 0) return <EmptyState title={t('usage.quiet')}>{t('usage.quietText')}</EmptyState>
  return (
    <>
      <dl className={styles.facts}>
        {Object.entries({ uses: String(uses), active: String(people), time: time(seconds) }).map(([name, value]) => (
          <div key={name}>
            <dt>{t(`usage.fact.${name as 'uses' | 'active' | 'time'}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <View title={t('usage.benches')} csv={sitePath('/benches.csv', asked)} text={t('usage.benchesText')}>
        <Bars
          items={benches.map(({ bench, share, seconds: used, directS, openS }) => ({
            key: bench,
            label: (
              <Link to="/usage/uses" search={{ ...days, bench }}>
                {bench}
              </Link>
            ),
            share: share ?? 0,
            text:
              share === null
                ? t('usage.closed')
                : [
                    t('usage.ofOpen', { share: percent(share), used: time(used + directS), open: time(openS) }),
                    ...(directS === 0 ? [] : [t('direct.ofThat', { time: time(directS) })]),
                  ].join(', '),
          }))}
        />
      </View>
      <View title={t('usage.byLab')} csv={sitePath('/labs.csv', asked)}>
        <ScrollRegion name={t('usage.byLab')} className={styles.scroll}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('usage.lab')}</th>
                {(['uses', 'peopleCount', 'time', 'share', 'median', 'p95'] as const).map((name) => (
                  <th key={name} scope="col" className={styles.number}>
                    {t(`usage.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {labs.map(({ lab, uses: count, people: who, seconds: used, share, wait }) => (
                <tr key={lab}>
                  <th scope="row">
                    <Link to="/usage/uses" search={{ ...days, lab }}>
                      {labTitle(lab)}
                    </Link>
                  </th>
                  <td className={styles.number}>{count}</td>
                  <td className={styles.number}>{who}</td>
                  <td className={styles.number}>{time(used)}</td>
                  <td className={styles.number}>{share === null ? '–' : percent(share)}</td>
                  <td className={styles.number}>{wait === undefined ? '–' : time(Math.round(wait.medianS))}</td>
                  <td className={styles.number}>{wait === undefined ? '–' : time(Math.round(wait.p95S))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      </View>
      <View title={t('usage.waits')} csv={sitePath('/waits.csv', asked)} text={t('usage.waitsText')}>
        <HeatMap
          name={t('usage.waits')}
          rows={[
            { label: t('usage.median'), values: waits.map(({ medianS }) => Math.round(medianS)) },
            { label: t('usage.p95'), values: waits.map(({ p95S }) => Math.round(p95S)) },
          ]}
          say={time}
          legend={[t('usage.shorter'), t('usage.longer')]}
        />
      </View>
      <View title={t('usage.hours')} csv={sitePath('/hours.csv', asked)} text={t('usage.hoursText')}>
        <HeatMap
          name={t('usage.hours')}
          rows={hours.map((values, day) => ({ label: words.weekdays[day] ?? '', values }))}
          say={time}
          legend={[t('usage.less'), t('usage.more')]}
        />
      </View>
      <View
        title={t('usage.countries')}
        csv={sitePath('/countries.csv', asked)}
        text={sourceText(countrySource, words)}
      >
        {countrySource.problem === undefined ? null : (
          <p className={styles.problem}>{t('usage.countryProblem', { problem: countrySource.problem })}</p>
        )}
        <Bars
          items={countries.map(({ country, uses: count, people: who }) => ({
            key: country ?? '',
            label: (
              <Link to="/usage/uses" search={{ ...days, country: country ?? 'unknown' }}>
                {words.country(country)}
              </Link>
            ),
            share: count / uses,
            text: t('usage.usesOf', { count, people: who }),
          }))}
        />
      </View>
    </>
  )
}
