import type { PersonInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'

/** For an admin: takes the second factor of somebody away who has lost it; that it is off stays to be read. */
export function ResetSecondFactor({ person }: { person: PersonInfo }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const reset = useMutation({
    mutationFn: () => api.send('DELETE', `/api/v1/users/${person.id}/second-factor`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['people'] })
      setAsking(false)
    },
  })
  return (
    <>
      {reset.isSuccess ? (
        <span>{t('people.resetSecondDone')}</span>
      ) : person.secondFactor === true ? (
        <Button
          size="compact-xs"
          variant="subtle"
          aria-label={t('people.resetSecondOf', { name: person.name })}
          onClick={() => setAsking(true)}
        >
          {t('people.resetSecond')}
        </Button>
      ) : null}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('people.resetSecondTitle', { name: person.name })}
        confirm={t('people.resetSecond')}
        pending={reset.isPending}
        error={reset.error}
        onConfirm={() => reset.mutate()}
      >
        <p>{t('people.resetSecondText')}</p>
      </ConfirmDialog>
    </>
  )
}
