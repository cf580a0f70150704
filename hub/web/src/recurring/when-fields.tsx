import { NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { dayNames, days } from '../benches/weekdays.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { fromLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import styles from './recurring.module.css'
import { nextTimesQuery, type TimesAsked } from './recurring-queries.ts'
import { cronOf, type When, type WhenKind, whenKinds } from './when.ts'
import { cronWords } from './when-words.ts'

export interface WhenValues extends When {
  readonly timeZone: string
  /** As a `datetime-local` field has it. */
  readonly from: string
  readonly until: string
}

/** Asks when, and shows the times that this means. */
export function WhenFields({ values, put }: { values: WhenValues; put: (change: Partial<WhenValues>) => void }) {
  const words = useWords()
  const { t, language } = words
  const { kind } = values
  const said = kind === 'own' ? cronWords(values.cron, words) : undefined
  const names = dayNames(language, 'long')
  return (
    <>
      <div className={styles.span}>
        <NativeSelect
          label={t('recurring.often')}
          value={kind}
          data={whenKinds.map((value) => ({ value, label: t(`recurring.kinds.${value}`) }))}
          onChange={(event) => put({ kind: event.currentTarget.value as WhenKind, cron: cronOf(values) })}
        />
        {kind === 'weekly' ? (
          <NativeSelect
            label={t('recurring.day')}
            value={String(values.weekday)}
            data={days.map((day, index) => ({ value: String(index + 1), label: names[day] }))}
            onChange={(event) => put({ weekday: Number(event.currentTarget.value) })}
          />
        ) : null}
        {kind === 'own' ? (
          <TextInput
            label={t('recurring.cron')}
            description={t('recurring.cronHelp')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            maxLength={100}
            spellCheck={false}
            value={values.cron}
            onChange={(event) => put({ cron: event.currentTarget.value })}
          />
        ) : (
          <TextInput
            type="time"
            label={t(kind === 'hourly' ? 'recurring.atMinute' : 'recurring.at')}
            value={values.at}
            onChange={(event) => put({ at: event.currentTarget.value })}
          />
        )}
      </div>
      {said === undefined ? null : <p className="soft">{t('recurring.means', { when: said })}</p>}
      <TextInput
        label={t('recurring.zone')}
        maxLength={64}
        spellCheck={false}
        value={values.timeZone}
        onChange={(event) => put({ timeZone: event.currentTarget.value })}
      />
      <div className={styles.span}>
        <TextInput
          type="datetime-local"
          label={t('recurring.from')}
          value={values.from}
          onChange={(event) => put({ from: event.currentTarget.value })}
        />
        <TextInput
          type="datetime-local"
          label={t('recurring.until')}
          value={values.until}
          onChange={(event) => put({ until: event.currentTarget.value })}
        />
      </div>
      <NextTimes
        cron={cronOf(values)}
        timeZone={values.timeZone}
        from={fromLocal(values.from)}
        until={fromLocal(values.until)}
      />
    </>
  )
}

function NextTimes(asked: TimesAsked) {
  const { t, absolute } = useWords()
  const api = useApi()
  const [settled] = useDebouncedValue(asked, 300)
  const times = useQuery(nextTimesQuery(api, settled))
  return (
    <section className={styles.next} aria-live="polite" aria-label={t('recurring.next')}>
      <h3>{t('recurring.next')}</h3>
      {times.error === null ? (
        <ol>
          {times.data?.next.map((time) => (
            <li key={time}>{absolute(time)}</li>
          ))}
        </ol>
      ) : (
        <ProblemNotice error={times.error} />
      )}
    </section>
  )
}
