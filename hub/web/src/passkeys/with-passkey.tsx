import { Button } from '@mantine/core'
import { IconKey } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useApi } from '../api/context.tsx'
import { signInWithPasskey } from './calls.ts'
import { PasskeyProblem } from './passkey-problem.tsx'
import { browserHasPasskeys } from './web-authn.ts'

interface Props {
  /** The address whose page may ask for passkeys. */
  readonly at: string
  readonly onEntered: () => Promise<void>
}

/** Signs in with a passkey, without name and password; on a page that may not ask for one, the way to the one that may. */
export function WithPasskey({ at, onEntered }: Props) {
  const { t } = useTranslation()
  const api = useApi()
  const enter = useMutation({ mutationFn: () => signInWithPasskey(api), onSuccess: onEntered })
  if (at !== location.origin) {
    const { pathname, search } = location
    return <a href={`${at}${pathname}${search}`}>{t('passkey.signInAt', { address: new URL(at).host })}</a>
  }
  if (!browserHasPasskeys()) return null
  return (
    <>
      {enter.error === null ? null : <PasskeyProblem error={enter.error} />}
      <Button
        variant="default"
        size="md"
        loading={enter.isPending}
        leftSection={<IconKey size={18} aria-hidden="true" />}
        onClick={() => enter.mutate()}
      >
        {t('passkey.signIn')}
      </Button>
    </>
  )
}
