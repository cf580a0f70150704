import type { Session } from '@fernlab/shared/contracts/sessions'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { sessionQuery } from '../api/queries.ts'

/** Ends a session; what the hub did not hear is said again as soon as it is `reachable`: to end twice changes nothing. */
export function useEnding(session: Session, reachable: boolean) {
  const api = useApi()
  const client = useQueryClient()
  const ending = useMutation({
    mutationFn: () => api.send<Session>('POST', `/api/v1/sessions/${session.id}/finish`),
    onSuccess: (next) => {
      if (next !== undefined) client.setQueryData(sessionQuery(api, session.id).queryKey, next)
      void client.invalidateQueries({ queryKey: ['sessions'] })
      void client.invalidateQueries({ queryKey: ['runs'] })
    },
  })
  const { mutate, isPending } = ending
  const waits = ending.error instanceof ApiProblem && ending.error.status === 0
  useEffect(() => {
    if (waits && reachable) mutate()
  }, [waits, reachable, mutate])
  return { end: () => mutate(), isPending, waits, error: waits ? null : ending.error }
}
