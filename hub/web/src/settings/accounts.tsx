import { selfRegisteredRoles } from '@fernlab/shared/contracts/people'
import type { SignInRules } from '@fernlab/shared/contracts/sign-in'
import { NativeSelect, Switch, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { signInRulesQuery, siteQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import { SaveLine } from './save-line.tsx'
import styles from './settings.module.css'

/** Who may come without being invited, and what staff must have. */
export function Accounts() {
  const { t } = useWords()
  const rules = useQuery(signInRulesQuery(useApi()))
  return (
    <section className={styles.section} aria-labelledby="accounts">
      <h2 id="accounts">{t('settings.accounts')}</h2>
      {rules.data !== undefined && rules.isFetchedAfterMount ? (
        <Rules rules={rules.data} />
      ) : rules.error === null ? (
        <Loading lines={3} />
      ) : (
        <ProblemNotice error={rules.error} onRetry={() => void rules.refetch()} />
      )}
    </section>
  )
}

const domainsIn = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[\s,;]+/)
    .map((part) => part.replace(/^@/, ''))
    .filter((part) => part !== '')
const looksLikeDomain = (text: string): boolean => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text)

function Rules({ rules }: { rules: SignInRules }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const site = useQuery(siteQuery(api))
  const [registration, setRegistration] = useState(rules.registration)
  const [domains, setDomains] = useState(rules.registration.domains.join(' '))
  const [staffSecondFactor, setStaffSecondFactor] = useState(rules.staffSecondFactor)
  const [sent, setSent] = useState(false)
  const good = domainsIn(domains).every(looksLikeDomain)
  const unsaved = useUnsaved([registration, domains, staffSecondFactor])
  const save = useMutation({
    mutationFn: () =>
      api.send<SignInRules>('PUT', '/api/v1/settings/sign-in', {
        registration: { ...registration, domains: domainsIn(domains) },
        staffSecondFactor,
      }),
    onMutate: unsaved.now,
    onSuccess: async (_saved, _sent, was) => {
      unsaved.kept(was)
      await client.invalidateQueries({ queryKey: ['settings', 'sign-in'] })
      await client.invalidateQueries({ queryKey: ['site'] })
    },
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (good) save.mutate()
  }
  const change = (part: Partial<SignInRules['registration']>) => setRegistration((before) => ({ ...before, ...part }))
  const noMail = site.data?.mail === false
  return (
    <form className={styles.form} noValidate onSubmit={send}>
      <Switch
        label={t('settings.registration')}
        description={noMail ? t('settings.registrationNoMail') : t('settings.registrationText')}
        disabled={noMail}
        checked={registration.open}
        onChange={(event) => change({ open: event.currentTarget.checked })}
      />
      {registration.open ? (
        <div className={styles.fields}>
          <TextInput
            label={t('settings.domains')}
            description={t('settings.domainsHelp')}
            name="domains"
            value={domains}
            error={sent && !good ? t('settings.domainsBad') : undefined}
            onChange={(event) => setDomains(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('settings.registerAs')}
            description={t('settings.registerAsHelp')}
            value={registration.role}
            data={selfRegisteredRoles.map((role) => ({ value: role, label: t(`account.roles.${role}`) }))}
            onChange={(event) => change({ role: event.currentTarget.value as (typeof selfRegisteredRoles)[number] })}
          />
        </div>
      ) : null}
      <Switch
        label={t('settings.staffSecondFactor')}
        description={t('settings.staffSecondFactorText')}
        checked={staffSecondFactor}
        onChange={(event) => setStaffSecondFactor(event.currentTarget.checked)}
      />
      <SaveLine save={save} label={t('settings.save')} done={t('settings.saved')} />
    </form>
  )
}
