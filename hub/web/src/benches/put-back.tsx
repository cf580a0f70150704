import type { Bench } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'

/** For staff and lab builders, beside the reason: puts a bench that was not cleaned up, or that a check keeps out, back into use. */
export function PutBack({ bench }: { bench: Bench }) {
  const { t, reason } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const role = useQuery(meQuery(api)).data?.role
  const [asking, setAsking] = useState(false)
  const putBack = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/benches/${bench.id}/put-back`),
    onSuccess: () => {
      setAsking(false)
      return client.invalidateQueries({ queryKey: ['benches'] })
    },
  })
  const fails = bench.checks?.some(({ failing }) => failing) === true
  if (bench.out === undefined || !(isStaff(role) || role === 'builder')) return null
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={() => {
          putBack.reset()
          setAsking(true)
        }}
      >
        {t('benches.outBack')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={`${t('benches.outBack')}?`}
        confirm={t('benches.outBack')}
        pending={putBack.isPending}
        error={putBack.error}
        onConfirm={() => putBack.mutate()}
      >
        {bench.reason === undefined ? null : <p>{reason(bench.reason)}</p>}
        <p>
          {fails ? t('benches.outFails') : t('benches.outUnclean')} {t('benches.outPutBackText')}
        </p>
      </ConfirmDialog>
    </>
  )
}
