import { TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { type Storage, storageQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { bytes } from '../words/bytes.ts'
import { useWords } from '../words/use-words.ts'
import { Accounts } from './accounts.tsx'
import { LabServers } from './lab-servers.tsx'
import { QueueRules } from './queue-rules.tsx'
import { SaveLine } from './save-line.tsx'
import styles from './settings.module.css'
import { UsageRules } from './usage-rules.tsx'

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
      <Accounts />
      <section className={styles.section}>
        <h2>{t('settings.retention')}</h2>
        <p className="soft">{t('settings.retentionText')}</p>
        {storage.isFetchedAfterMount ? <Retention retention={retention} /> : <Loading lines={2} />}
      </section>
      <UsageRules />
      <QueueRules />
      <LabServers />
      <section className={styles.section}>
        <h2>{t('audit.title')}</h2>
        <p className="soft">{t('audit.text')}</p>
        <div>
          <LinkButton to="/audit" variant="default">
            {t('audit.open')}
          </LinkButton>
        </div>
      </section>
    </Page>
  )
}

const days = (text: string): number | null => (text.trim() === '' ? null : Number(text))
const isDays = (text: string): boolean => text.trim() === '' || /^[1-9]\d{0,5}$/.test(text.trim())

type Rules = Storage['retention']

/** What would be removed sooner than by the rules that hold. */
const shortened = (next: Rules, now: Rules): Rules => ({
  dataDays: next.dataDays !== null && next.dataDays < (now.dataDays ?? Number.POSITIVE_INFINITY) ? next.dataDays : null,
  runDays: next.runDays !== null && next.runDays < (now.runDays ?? Number.POSITIVE_INFINITY) ? next.runDays : null,
})

function Retention({ retention }: { retention: Rules }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const form = useForm(
    { dataDays: String(retention.dataDays ?? ''), runDays: String(retention.runDays ?? '') },
    (values) => ({
      ...(isDays(values.dataDays) ? {} : { dataDays: t('settings.positive') }),
      ...(!isDays(values.runDays)
        ? { runDays: t('settings.positive') }
        : (days(values.runDays) ?? Number.POSITIVE_INFINITY) < (days(values.dataDays) ?? 0)
          ? { runDays: t('settings.runsShorter') }
          : {}),
    }),
  )
  const unsaved = useUnsaved(form.values)
  const save = useMutation({
    mutationFn: (rules: Rules) => api.send('PUT', '/api/v1/settings/retention', rules),
    onMutate: unsaved.now,
    onSuccess: (_saved, _sent, was) => {
      unsaved.kept(was)
      return client.invalidateQueries({ queryKey: ['storage'] })
    },
  })
  const [asked, setAsked] = useState<Rules>()
  const send = (values: { dataDays: string; runDays: string }) => {
    const rules = { dataDays: days(values.dataDays), runDays: days(values.runDays) }
    const { dataDays, runDays } = shortened(rules, retention)
    if (dataDays === null && runDays === null) save.mutate(rules)
    else setAsked(rules)
  }
  return (
    <form className={styles.form} noValidate onSubmit={form.onSubmit(send)}>
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
      <SaveLine save={save} label={t('settings.save')} done={t('settings.saved')} />
      <Confirmation
        removed={asked === undefined ? undefined : shortened(asked, retention)}
        onClose={() => setAsked(undefined)}
        onConfirm={() => {
          setAsked(undefined)
          if (asked !== undefined) save.mutate(asked)
        }}
      />
    </form>
  )
}

interface ConfirmationProps {
  readonly removed: Rules | undefined
  readonly onClose: () => void
  readonly onConfirm: () => void
}

/** Asks before rules remove results, and says which. */
function Confirmation({ removed, onClose, onConfirm }: ConfirmationProps) {
  const { t } = useWords()
  return (
    <ConfirmDialog
      opened={removed !== undefined}
      onClose={onClose}
      title={t('settings.removeTitle')}
      confirm={t('settings.remove')}
      onConfirm={onConfirm}
    >
      {removed?.dataDays == null ? null : <p>{t('settings.removeData', { count: removed.dataDays })}</p>}
      {removed?.runDays == null ? null : <p>{t('settings.removeRuns', { count: removed.runDays })}</p>}
      <p>{t('settings.removeText')}</p>
    </ConfirmDialog>
  )
}
