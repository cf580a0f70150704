import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { type Storage, storageQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { bytes } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './settings.module.css'

/** Where the results are kept, how much room there is, and how long they stay. */
export default function SettingsPage() {
  const { t, language } = useWords()
  useTitle(t('settings.title'))
  const storage = useQuery(storageQuery(useApi()))
  if (storage.data === undefined) {
    return (
      <Page title={t('settings.title')}>
        {storage.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={storage.error} onRetry={() => void storage.refetch()} />
        )}
      </Page>
    )
  }
  const { databaseBytes, freeBytes, acceptingRuns, retention } = storage.data
  return (
    <Page title={t('settings.title')}>
      <section className={styles.section}>
        <h2>{t('settings.storage')}</h2>
        <dl className={styles.facts}>
          <div>
            <dt>{t('settings.database')}</dt>
            <dd>{bytes(databaseBytes, language)}</dd>
          </div>
          <div>
            <dt>{t('settings.free')}</dt>
            <dd>{bytes(freeBytes, language)}</dd>
          </div>
        </dl>
        <p className={acceptingRuns ? 'soft' : styles.refusing}>
          {acceptingRuns ? t('settings.accepting') : t('settings.refusing')}
        </p>
      </section>
      <section className={styles.section}>
        <h2>{t('settings.retention')}</h2>
        <p className="soft">{t('settings.retentionText')}</p>
        <Retention key={JSON.stringify(retention)} retention={retention} />
      </section>
    </Page>
  )
}

const days = (text: string): number | null => (text.trim() === '' ? null : Number(text))
const isDays = (text: string): boolean => text.trim() === '' || /^[1-9]\d{0,5}$/.test(text.trim())

function Retention({ retention }: { retention: Storage['retention'] }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const form = useForm(
    { dataDays: String(retention.dataDays ?? ''), runDays: String(retention.runDays ?? '') },
    (values) => ({
      ...(isDays(values.dataDays) ? {} : { dataDays: t('settings.positive') }),
      ...(isDays(values.runDays) ? {} : { runDays: t('settings.positive') }),
    }),
  )
  const save = useMutation({
    mutationFn: (values: { dataDays: string; runDays: string }) =>
      api.send('PUT', '/api/v1/settings/retention', { dataDays: days(values.dataDays), runDays: days(values.runDays) }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['storage'] }),
  })
  return (
    <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <div className={styles.fields}>
        <TextInput
          label={t('settings.dataDays')}
          description={t('settings.dataDaysHelp')}
          name="dataDays"
          inputMode="numeric"
          {...form.field('dataDays')}
        />
        <TextInput
          label={t('settings.runDays')}
          description={t('settings.runDaysHelp')}
          name="runDays"
          inputMode="numeric"
          {...form.field('runDays')}
        />
      </div>
      {save.error === null ? null : <ProblemNotice error={save.error} />}
      <div className={styles.save}>
        <Button type="submit" loading={save.isPending}>
          {t('settings.save')}
        </Button>
        <span role="status" className="soft">
          {save.isSuccess ? t('settings.saved') : ''}
        </span>
      </div>
    </form>
  )
}
