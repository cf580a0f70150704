import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'

/** Cuts a node off, once a person has confirmed it. */
export function RevokeButton({ node }: { node: NodeInfo }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/nodes/${node.id}/revoke`),
    onSuccess: () => {
      setAsking(false)
      void client.invalidateQueries({ queryKey: ['nodes'] })
    },
  })
  if (node.state === 'revoked') return null
  return (
    <>
      <Button variant="default" size="xs" onClick={() => setAsking(true)}>
        {t('nodes.revoke')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('nodes.revokeTitle', { node: node.id })}
        confirm={t('nodes.revoke')}
        pending={revoke.isPending}
        error={revoke.error}
        onConfirm={() => revoke.mutate()}
      >
        <p>{t('nodes.revokeText')}</p>
      </ConfirmDialog>
    </>
  )
}
