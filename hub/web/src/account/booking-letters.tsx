import type { BookingLetters as Letters } from '@fernlab/shared/contracts/booking-notices'
import { Button, Switch } from '@mantine/core'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changeAddress } from '../api/auth.ts'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './account.module.css'
import { WithPassword } from './with-password.tsx'

const path = '/api/v1/me/booking-letters'

const lettersQuery = (api: Api) =>
  queryOptions({
    queryKey: ['booking-letters'],
    queryFn: ({ signal }) => api.get<Letters>(path, signal),
  })

/** Whether I get letters about my bookings; nothing where the site sends none. */
export function BookingLetters({ email }: { email: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const letters = useQuery(lettersQuery(api)).data
  const change = useMutation({
    mutationFn: (wanted: boolean) => api.send<Letters>('PUT', path, { wanted }),
    onSettled: () => client.invalidateQueries({ queryKey: ['booking-letters'] }),
  })
  if (letters === undefined || !letters.possible) return null
  return (
    <section className={styles.section} aria-labelledby="booking-letters">
      <h2 id="booking-letters">{t('account.letters')}</h2>
      <Switch
        label={t('account.lettersWanted')}
        description={t('account.lettersText')}
        checked={change.isPending ? change.variables : letters.wanted}
        disabled={change.isPending}
        onChange={(event) => change.mutate(event.currentTarget.checked)}
      />
      {letters.confirmed || !letters.wanted ? null : <Confirm email={email} />}
      {change.error === null ? null : <ProblemNotice error={change.error} />}
    </section>
  )
}

/** No letters go to an address that nobody has shown to be theirs. */
function Confirm({ email }: { email: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const [asking, setAsking] = useState(0)
  const ask = useMutation({
    mutationFn: (password: string) => changeAddress(api, { email, password }),
    onSuccess: () => setAsking(0),
  })
  if (ask.isSuccess) return <p role="status">{t('account.addressSent', { email })}</p>
  return (
    <div className={styles.outcome}>
      <p className="soft">{t('account.unconfirmed')}</p>
      <Button
        variant="default"
        onClick={() => {
          ask.reset()
          setAsking(asking + 1)
        }}
      >
        {t('account.confirmAddress')}
      </Button>
      <WithPassword
        key={asking}
        opened={asking > 0}
        title={t('account.confirmAddress')}
        text={t('account.confirmText', { email })}
        confirm={t('account.addressSend')}
        pending={ask.isPending}
        error={ask.error}
        onConfirm={(password) => ask.mutate(password)}
        onClose={() => setAsking(0)}
      />
    </div>
  )
}
