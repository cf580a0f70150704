import type { PersonInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './people.module.css'

/** For an admin: shuts somebody out, after a question, and lets them in again with one press. */
export function Suspend({ person }: { person: PersonInfo }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const isOut = person.suspendedAt !== undefined
  const change = useMutation({
    mutationFn: (to: 'suspend' | 'restore') => api.send('POST', `/api/v1/users/${person.id}/${to}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['people'] })
      setAsking(false)
    },
  })
  return (
    <>
      <Button
        size="compact-xs"
        variant="subtle"
        aria-label={t(isOut ? 'people.restoreOf' : 'people.suspendOf', { name: person.name })}
        onClick={() => {
          // Not disabled meanwhile: that would take the keyboard's place away.
          if (change.isPending) return
          change.reset()
          if (isOut) change.mutate('restore')
          else setAsking(true)
        }}
      >
        {t(isOut ? 'people.restore' : 'people.suspend')}
      </Button>
      {asking || change.error === null ? null : (
        <div className={styles.whole}>
          <ProblemNotice error={change.error} />
        </div>
      )}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('people.suspendTitle', { name: person.name })}
        confirm={t('people.suspend')}
        pending={change.isPending}
        error={change.error}
        onConfirm={() => change.mutate('suspend')}
      >
        <p>{t('people.suspendText')}</p>
      </ConfirmDialog>
    </>
  )
}
