import type { OwnSignIn } from '@fernlab/shared/contracts/sign-ins'
import { Button } from '@mantine/core'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import account from './account.module.css'
import styles from './sign-ins.module.css'

const path = '/api/v1/me/sign-ins'

const signInsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me', 'sign-ins'],
    queryFn: ({ signal }) => api.get<{ items: readonly OwnSignIn[] }>(path, signal),
  })

/** Where I am signed in, and how to end that from here. */
export function SignIns() {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const signIns = useQuery(signInsQuery(api))
  const [asking, setAsking] = useState(false)
  const refresh = () => client.invalidateQueries({ queryKey: ['me', 'sign-ins'] })
  const end = useMutation({
    mutationFn: ({ id }: OwnSignIn) => api.send('DELETE', `${path}/${id}`),
    onSuccess: refresh,
  })
  const endOthers = useMutation({
    mutationFn: () => api.send('POST', `${path}/end-others`),
    onSuccess: async () => {
      await refresh()
      setAsking(false)
    },
  })
  const others = signIns.data?.items.some(({ here }) => !here) === true
  return (
    <section className={account.section} aria-labelledby="sign-ins">
      <div className={account.tokensHead}>
        <div>
          <h2 id="sign-ins">{t('signIns.title')}</h2>
          <p className="soft">{t('signIns.text')}</p>
        </div>
        {others ? (
          <Button variant="default" onClick={() => setAsking(true)}>
            {t('signIns.others')}
          </Button>
        ) : null}
      </div>
      {end.error === null ? null : <ProblemNotice error={end.error} />}
      {signIns.data === undefined ? (
        signIns.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={signIns.error} onRetry={() => void signIns.refetch()} />
        )
      ) : (
        <ul className={account.list}>
          {signIns.data.items.map((signIn) => (
            <SignInRow
              key={signIn.id}
              signIn={signIn}
              ending={end.isPending && end.variables.id === signIn.id}
              onEnd={() => end.mutate(signIn)}
            />
          ))}
        </ul>
      )}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('signIns.othersTitle')}
        confirm={t('signIns.others')}
        pending={endOthers.isPending}
        error={endOthers.error}
        onConfirm={() => endOthers.mutate()}
      >
        <p>{t('signIns.othersText')}</p>
      </ConfirmDialog>
    </section>
  )
}

interface RowProps {
  readonly signIn: OwnSignIn
  readonly ending: boolean
  readonly onEnd: () => void
}

function SignInRow({ signIn, ending, onEnd }: RowProps) {
  const { t, moment } = useWords()
  const { browser, system, address, since, lastSeenAt, here } = signIn
  const words = [browser, system].filter((word) => word !== undefined).join(', ')
  const name = words === '' ? t('signIns.unknown') : words
  return (
    <li className={styles.signIn}>
      <span className={styles.browser}>{name}</span>
      <span>{address}</span>
      <span className="soft">{t('signIns.since', { time: moment(since) })}</span>
      <span className="soft">{here ? t('signIns.here') : t('signIns.lastSeen', { time: moment(lastSeenAt) })}</span>
      {here ? null : (
        <Button
          size="xs"
          variant="default"
          loading={ending}
          aria-label={`${t('nav.signOut')}: ${name}`}
          onClick={onEnd}
        >
          {t('nav.signOut')}
        </Button>
      )}
    </li>
  )
}
