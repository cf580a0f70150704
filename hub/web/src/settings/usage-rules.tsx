import type { UsageRules as Rules, UsagePreview } from '@fernlab/shared/contracts/usage'
import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { usagePreviewQuery, usageRulesQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { useWords } from '../words/use-words.ts'
import { SaveLine } from './save-line.tsx'
import styles from './settings.module.css'

/** How long uses keep what names their people. */
export function UsageRules() {
  const { t } = useWords()
  const rules = useQuery(usageRulesQuery(useApi()))
  return (
    <section className={styles.section}>
      <h2>{t('settings.usage')}</h2>
      <p className="soft">{t('settings.usageText')}</p>
      {rules.error !== null ? (
        <ProblemNotice error={rules.error} onRetry={() => void rules.refetch()} />
      ) : rules.data === undefined || !rules.isFetchedAfterMount ? (
        <Loading lines={2} />
      ) : (
        <Form rules={rules.data} />
      )}
    </section>
  )
}

const most = 36_500
const leastNameDays = 30
const daysFrom = (text: string, least: number): number | null | undefined => {
  const trimmed = text.trim()
  if (trimmed === '') return null
  const days = /^\d{1,5}$/.test(trimmed) ? Number(trimmed) : Number.NaN
  return days >= least && days <= most ? days : undefined
}
/** Undefined while something does not make sense. */
function rulesIn(values: { addressDays: string; nameDays: string }): Rules | undefined {
  const addressDays = daysFrom(values.addressDays, 0)
  const nameDays = daysFrom(values.nameDays, leastNameDays)
  return addressDays === undefined || nameDays === undefined ? undefined : { addressDays, nameDays }
}
const takesSomething = ({ addresses, uses }: UsagePreview) => addresses + uses > 0

function Form({ rules }: { rules: Rules }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const form = useForm(
    { addressDays: String(rules.addressDays ?? ''), nameDays: String(rules.nameDays ?? '') },
    ({ addressDays, nameDays }) => ({
      ...(daysFrom(addressDays, 0) === undefined ? { addressDays: t('settings.addressDaysBad', { most }) } : {}),
      ...(daysFrom(nameDays, leastNameDays) === undefined
        ? { nameDays: t('settings.nameDaysBad', { least: leastNameDays, most }) }
        : {}),
    }),
  )
  const wanted = rulesIn(form.values)
  const [settled] = useDebouncedValue(wanted, 300)
  const isOther = settled !== undefined && JSON.stringify(settled) !== JSON.stringify(rules)
  const preview = useQuery({ ...usagePreviewQuery(api, settled ?? rules), enabled: isOther })
  const [asked, setAsked] = useState<{ rules: Rules; takes: UsagePreview }>()
  const unsaved = useUnsaved(form.values)
  const save = useMutation({
    onMutate: unsaved.now,
    mutationFn: async ({ rules: next, confirmed }: { rules: Rules; confirmed: boolean }) => {
      if (!confirmed) {
        const takes = await client.fetchQuery({ ...usagePreviewQuery(api, next), staleTime: 0 })
        if (takesSomething(takes)) {
          setAsked({ rules: next, takes })
          return 'asked'
        }
      }
      await api.send('PUT', '/api/v1/settings/usage', next)
      return 'saved'
    },
    onSuccess: async (done, _sent, was) => {
      if (done === 'asked') return
      unsaved.kept(was)
      await client.invalidateQueries({ queryKey: ['settings', 'usage'] })
    },
  })
  const isSaved = save.isSuccess && asked === undefined
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={form.onSubmit((values) => {
        const next = rulesIn(values)
        if (next !== undefined) save.mutate({ rules: next, confirmed: false })
      })}
    >
      <div className={styles.fields}>
        <TextInput
          label={t('settings.addressDays')}
          description={t('settings.addressDaysHelp')}
          name="addressDays"
          inputMode="numeric"
          {...form.field('addressDays')}
        />
        <TextInput
          label={t('settings.nameDays')}
          description={t('settings.nameDaysHelp', { least: leastNameDays })}
          name="nameDays"
          inputMode="numeric"
          {...form.field('nameDays')}
        />
      </div>
      <div aria-live="polite">
        {wanted === undefined ? null : <Forgotten rules={wanted} />}
        {isOther && preview.data !== undefined ? <Taken takes={preview.data} /> : null}
        {isOther && preview.error !== null ? <ProblemNotice error={preview.error} /> : null}
      </div>
      <SaveLine
        save={{ error: save.error, isPending: save.isPending, isSuccess: isSaved }}
        label={t('settings.usageSave')}
        done={t('settings.usageSaved')}
      />
      <ConfirmDialog
        opened={asked !== undefined}
        onClose={() => {
          setAsked(undefined)
          save.reset()
        }}
        title={t('settings.forgetTitle')}
        confirm={t('settings.forget')}
        onConfirm={() => {
          setAsked(undefined)
          if (asked !== undefined) save.mutate({ rules: asked.rules, confirmed: true })
        }}
      >
        {asked === undefined ? null : <Taken takes={asked.takes} />}
        <p>{t('settings.forgetText')}</p>
      </ConfirmDialog>
    </form>
  )
}

/** What such rules mean from now on. */
function Forgotten({ rules: { addressDays, nameDays } }: { rules: Rules }) {
  const { t } = useWords()
  return (
    <p>
      {addressDays === null
        ? t('settings.addressesStay')
        : addressDays === 0
          ? t('settings.addressesNone')
          : t('settings.addressesGo', { count: addressDays })}{' '}
      {nameDays === null ? t('settings.namesStay') : t('settings.namesGo', { count: nameDays })}
    </p>
  )
}

/** What such rules take away as soon as they are saved. */
function Taken({ takes }: { takes: UsagePreview }) {
  const { t } = useWords()
  const { addresses, uses, people } = takes
  if (!takesSomething(takes)) return <p>{t('settings.takesNothing')}</p>
  return (
    <>
      <p>{t('settings.takes')}</p>
      <ul className={styles.taken}>
        {addresses === 0 ? null : <li>{t('settings.takesAddresses', { count: addresses })}</li>}
        {uses === 0 ? null : (
          <li>{t('settings.takesNames', { count: uses, of: t('settings.people', { count: people }) })}</li>
        )}
      </ul>
    </>
  )
}
