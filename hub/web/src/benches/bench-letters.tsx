import { Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { benchLettersQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

/** For those who look after benches: whether they get a letter when one goes out of use and when it is back. */
export function BenchLetters() {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const letters = useQuery(benchLettersQuery(api))
  const change = useMutation({
    mutationFn: (wanted: boolean) => api.send('PUT', '/api/v1/me/bench-letters', { wanted }),
    onSettled: () => client.invalidateQueries({ queryKey: ['bench-letters'] }),
  })
  if (letters.data === undefined || !letters.data.possible) return null
  return (
    <div>
      <Switch
        label={t('benches.letters')}
        description={t('benches.lettersText')}
        checked={change.isPending ? change.variables : letters.data.wanted}
        disabled={change.isPending}
        onChange={(event) => change.mutate(event.currentTarget.checked)}
      />
      {change.error === null ? null : <ProblemNotice error={change.error} />}
    </div>
  )
}
