import type { RemovalPreview } from '@fernlab/shared/contracts/bench-care'
import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

interface Props {
  readonly kind: 'nodes' | 'benches'
  /** Its name, to be typed again. */
  readonly id: string
}

/** Removes a node or a bench for good: says what goes and what stays, and wants its name typed. */
export function RemoveButton({ kind, id }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const [sent, setSent] = useState(false)
  const preview = useQuery({
    queryKey: [kind, id, 'removal'],
    queryFn: ({ signal }) => api.get<RemovalPreview>(`/api/v1/${kind}/${id}/removal`, signal),
    enabled: asking,
    staleTime: 0,
  })
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/v1/${kind}/${id}?confirm=${encodeURIComponent(typed)}`),
    onSuccess: () => {
      setAsking(false)
      void client.invalidateQueries({ queryKey: ['nodes'] })
      void client.invalidateQueries({ queryKey: ['benches'] })
      if (kind === 'benches') void navigate({ to: '/benches' })
    },
  })
  const close = () => {
    remove.reset()
    setTyped('')
    setSent(false)
    setAsking(false)
  }
  const confirmed = typed.trim() === id
  const send = () => {
    setSent(true)
    if (confirmed) remove.mutate()
  }
  return (
    <>
      <Button variant="default" size="xs" onClick={() => setAsking(true)} aria-label={`${t('nodes.remove')}: ${id}`}>
        {t('nodes.remove')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={close}
        title={t('nodes.removeTitle', { name: id })}
        confirm={t('nodes.remove')}
        pending={remove.isPending}
        error={remove.error}
        onConfirm={send}
      >
        <p>{t('nodes.removeText')}</p>
        {preview.data === undefined ? (
          preview.error === null ? (
            <Loading lines={2} />
          ) : (
            <ProblemNotice error={preview.error} onRetry={() => void preview.refetch()} />
          )
        ) : (
          <Consequences kind={kind} preview={preview.data} />
        )}
        <TextInput
          label={t('nodes.removeConfirm', { name: id })}
          value={typed}
          autoComplete="off"
          spellCheck={false}
          error={sent && !confirmed ? t('nodes.removeMismatch') : undefined}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </ConfirmDialog>
    </>
  )
}

function Consequences({ kind, preview }: { kind: Props['kind']; preview: RemovalPreview }) {
  const { t } = useWords()
  const { benches, waiting, runsKept, hindrance } = preview
  return (
    <>
      {kind === 'nodes' && benches.length > 0 ? (
        <p>{t('nodes.removeBenches', { benches: benches.join(', ') })}</p>
      ) : null}
      {waiting === 0 ? null : <p>{t('nodes.removeWaiting', { count: waiting })}</p>}
      {runsKept === 0 ? null : <p>{t('nodes.removeKept', { count: runsKept })}</p>}
      {hindrance === undefined ? null : <p role="alert">{hindrance}</p>}
    </>
  )
}
