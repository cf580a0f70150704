import type { SchedulingRules } from '@fernlab/shared/contracts/api'
import { TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { schedulingQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { useWords } from '../words/use-words.ts'
import { SaveLine } from './save-line.tsx'
import styles from './settings.module.css'

/** What waiting is worth, how long bench time counts, and how long a booking waits for its person. */
export function QueueRules() {
  const { t } = useWords()
  const rules = useQuery(schedulingQuery(useApi()))
  return (
    <section className={styles.section}>
      <h2>{t('settings.queue')}</h2>
      <p className="soft">{t('settings.queueText')}</p>
      {rules.error !== null ? (
        <ProblemNotice error={rules.error} onRetry={() => void rules.refetch()} />
      ) : rules.data === undefined || !rules.isFetchedAfterMount ? (
        <Loading lines={2} />
      ) : (
        <Rules rules={rules.data} />
      )}
    </section>
  )
}

const between = (text: string, most: number): boolean => /^[1-9]\d{0,4}$/.test(text.trim()) && Number(text) <= most

function Rules({ rules }: { rules: SchedulingRules }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const form = useForm(
    {
      stepMinutes: String(rules.stepMinutes),
      windowHours: String(rules.windowHours),
      graceMinutes: String(rules.graceMinutes),
      warningMinutes: String(rules.warningMinutes),
    },
    ({ stepMinutes, windowHours, graceMinutes, warningMinutes }) => ({
      ...(between(stepMinutes, 1440) ? {} : { stepMinutes: t('settings.wholeUpTo', { most: 1440 }) }),
      ...(between(windowHours, 8760) ? {} : { windowHours: t('settings.wholeUpTo', { most: 8760 }) }),
      ...(between(graceMinutes, 240) ? {} : { graceMinutes: t('settings.wholeUpTo', { most: 240 }) }),
      ...(between(warningMinutes, 60) ? {} : { warningMinutes: t('settings.wholeUpTo', { most: 60 }) }),
    }),
  )
  const unsaved = useUnsaved(form.values)
  const save = useMutation({
    mutationFn: (wanted: SchedulingRules) => api.send('PUT', '/api/v1/settings/scheduling', wanted),
    onMutate: unsaved.now,
    onSuccess: (_saved, _sent, was) => {
      unsaved.kept(was)
      return client.invalidateQueries({ queryKey: ['scheduling'] })
    },
  })
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={form.onSubmit((values) =>
        save.mutate({
          stepMinutes: Number(values.stepMinutes),
          windowHours: Number(values.windowHours),
          graceMinutes: Number(values.graceMinutes),
          warningMinutes: Number(values.warningMinutes),
        }),
      )}
    >
      <div className={styles.fields}>
        <TextInput
          label={t('settings.step')}
          description={t('settings.stepHelp')}
          name="stepMinutes"
          inputMode="numeric"
          {...form.field('stepMinutes')}
        />
        <TextInput
          label={t('settings.window')}
          description={t('settings.windowHelp')}
          name="windowHours"
          inputMode="numeric"
          {...form.field('windowHours')}
        />
        <TextInput
          label={t('settings.grace')}
          description={t('settings.graceHelp')}
          name="graceMinutes"
          inputMode="numeric"
          {...form.field('graceMinutes')}
        />
        <TextInput
          label={t('settings.warning')}
          description={t('settings.warningHelp')}
          name="warningMinutes"
          inputMode="numeric"
          {...form.field('warningMinutes')}
        />
      </div>
      <SaveLine save={save} label={t('settings.order')} done={t('settings.ordered')} />
    </form>
  )
}
