import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './usage.module.css'
import { type Asked, coursePath, similarQuery } from './usage-queries.ts'
import { useUsageWords } from './use-usage-words.ts'
import { View } from './view.tsx'

/** What different people of a course chose alike, near in time; with care. */
export function SimilarView({ course, asked }: { course: string; asked: Asked }) {
  const { t, labTitle, personName, duration, absolute } = useUsageWords()
  const similar = useQuery(similarQuery(useApi(), course, asked))
  const hints = similar.data?.hints
  return (
    <View title={t('usage.similar')} csv={coursePath(course, '/similar.csv', asked)} text={t('usage.similarText')}>
      {similar.error !== null ? (
        <ProblemNotice error={similar.error} onRetry={() => void similar.refetch()} />
      ) : hints === undefined ? (
        <Loading lines={2} />
      ) : hints.length === 0 ? (
        <p>{t('usage.similarNone')}</p>
      ) : (
        <ul className={styles.hints}>
          {hints.map(({ lab, protocol, chosen, uses, apartS }) => (
            <li key={uses[0]?.id}>
              <p>
                {labTitle(lab)}, {protocol}:{' '}
                <span className={styles.chosen}>
                  {Object.entries(chosen)
                    .map(([name, value]) => `${name} = ${value}`)
                    .join(', ')}
                </span>{' '}
                · {t('usage.apart', { time: duration(apartS) })}
              </p>
              <ul>
                {uses.map(({ id, person, at }) => (
                  <li key={id}>
                    <Link to="/runs/$runId" params={{ runId: id }}>
                      {personName(person)}, {absolute(at)}
                    </Link>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      )}
    </View>
  )
}
