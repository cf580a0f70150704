import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { SetUpSecondFactor } from '../account/set-up-second-factor.tsx'
import { signOut } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { Entrance } from './entrance.tsx'
import { safeTarget } from './sign-in-page.tsx'

/** For staff who must have a second factor and have none: nothing but setting it up, or leaving. */
export default function SecondFactorPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { next } = useSearch({ from: '/second-factor' })
  const leave = useMutation({
    mutationFn: () => signOut(api),
    onSuccess: async () => {
      await navigate({ to: '/sign-in' })
      client.clear()
    },
  })
  const goOn = async () => {
    await client.resetQueries()
    await navigate({ to: safeTarget(next), replace: true })
  }
  return (
    <Entrance title={t('auth.mustSetUp')} text={t('auth.mustSetUpText')}>
      <SetUpSecondFactor done={t('account.recoveryKept')} onDone={() => void goOn()} />
      <Button variant="subtle" loading={leave.isPending} onClick={() => leave.mutate()}>
        {t('nav.signOut')}
      </Button>
    </Entrance>
  )
}
