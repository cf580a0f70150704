import type { LabServerRules } from '@fernlab/shared/contracts/sessions'
import { Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { labServerRulesQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import { SaveLine } from './save-line.tsx'
import styles from './settings.module.css'

/** What labs with a server of their own are told of people. */
export function LabServers() {
  const { t } = useWords()
  const rules = useQuery(labServerRulesQuery(useApi()))
  return (
    <section className={styles.section}>
      <h2>{t('settings.labServers')}</h2>
      <p className="soft">{t('settings.labServersText')}</p>
      {rules.data !== undefined && rules.isFetchedAfterMount ? (
        <Rules rules={rules.data} />
      ) : rules.error === null ? (
        <Loading lines={1} />
      ) : (
        <ProblemNotice error={rules.error} onRetry={() => void rules.refetch()} />
      )}
    </section>
  )
}

function Rules({ rules }: { rules: LabServerRules }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [names, setNames] = useState(rules.names)
  const unsaved = useUnsaved(names)
  const save = useMutation({
    mutationFn: () => api.send<LabServerRules>('PUT', '/api/v1/settings/lab-servers', { names }),
    onMutate: unsaved.now,
    onSuccess: (_saved, _sent, was) => {
      unsaved.kept(was)
      return client.invalidateQueries({ queryKey: ['settings', 'lab-servers'] })
    },
  })
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <Switch
        label={t('settings.labServerNames')}
        checked={names}
        onChange={(event) => setNames(event.currentTarget.checked)}
      />
      <SaveLine save={save} label={t('settings.labServersSave')} done={t('settings.labServersSaved')} />
    </form>
  )
}
