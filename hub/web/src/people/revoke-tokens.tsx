import type { PersonInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'

/** For an admin: revokes all API tokens of somebody. */
export function RevokeTokens({ person }: { person: PersonInfo }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/users/${person.id}/revoke-tokens`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['people'] })
      setAsking(false)
    },
  })
  return (
    <>
      {revoke.isSuccess ? (
        t('people.revokeTokensDone')
      ) : person.tokens === true ? (
        <Button
          size="compact-xs"
          variant="subtle"
          aria-label={t('people.revokeTokensOf', { name: person.name })}
          onClick={() => setAsking(true)}
        >
          {t('people.revokeTokens')}
        </Button>
      ) : null}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('people.revokeTokensTitle', { name: person.name })}
        confirm={t('people.revokeTokens')}
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoke.mutate()}
      >
        <p>{t('people.revokeTokensText')}</p>
      </ConfirmDialog>
    </>
  )
}
