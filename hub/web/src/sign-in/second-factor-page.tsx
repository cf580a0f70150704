import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { SetUpSecondFactor } from '../account/set-up-second-factor.tsx'
import { signOut } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { AddPasskey } from '../passkeys/add-passkey.tsx'
import { browserHasPasskeys } from '../passkeys/web-authn.ts'
import { Entrance } from './entrance.tsx'
import { safeTarget } from './sign-in-page.tsx'

/** For staff who must have a second factor and have none: nothing but setting it up, or leaving. */
export default function SecondFactorPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { next } = useSearch({ from: '/second-factor' })
  const site = useQuery(siteQuery(api))
  const passkeysHere = site.data?.passkeysAt === location.origin && browserHasPasskeys()
  const [adding, setAdding] = useState(false)
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
      {passkeysHere ? (
        <Button variant="default" onClick={() => setAdding(true)}>
          {t('passkey.instead')}
        </Button>
      ) : null}
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title={t('passkey.add')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <AddPasskey onAdded={() => void goOn()} />
      </Modal>
      <Button variant="subtle" loading={leave.isPending} onClick={() => leave.mutate()}>
        {t('nav.signOut')}
      </Button>
    </Entrance>
  )
}
