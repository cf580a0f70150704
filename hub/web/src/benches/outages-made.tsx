import type { Outage } from '@fernlab/shared/contracts/bench-care'
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { type Api, ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

/** Says what was closed just now, and takes it back. */
export function OutagesMade({ made }: { made: readonly Outage[] }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const box = useRef<HTMLDivElement>(null)
  const undo = useMutation({
    mutationFn: () => takeBack(api, made),
    onSuccess: () => box.current?.focus(),
    onSettled: () => void client.invalidateQueries({ queryKey: ['benches'] }),
  })
  // What had the focus went with the choice of benches.
  useEffect(() => box.current?.focus(), [])
  return (
    <div ref={box} tabIndex={-1}>
      <span role="status">
        {undo.isSuccess ? t('benches.outUndone') : t('benches.outMade', { count: made.length })}
      </span>{' '}
      {undo.isSuccess ? null : (
        <Button size="compact-xs" variant="subtle" loading={undo.isPending} onClick={() => undo.mutate()}>
          {t('people.undo')}
        </Button>
      )}
      {undo.error === null ? null : <ProblemNotice error={undo.error} />}
    </div>
  )
}

/** Takes back as many as it can, and then throws the first refusal; what somebody took back before is as wanted. */
async function takeBack(api: Api, outages: readonly Outage[]): Promise<void> {
  const answers = await Promise.allSettled(
    outages.map(({ bench, id }) => api.send('DELETE', `/api/v1/benches/${bench}/outages/${id}`)),
  )
  const refused = answers.find((answer) => answer.status === 'rejected' && !isGone(answer.reason))
  if (refused?.status === 'rejected') throw refused.reason
}

const isGone = (error: unknown): boolean => error instanceof ApiProblem && error.code === 'outage-unknown'
