import { useTranslation } from 'react-i18next'
import { checkSetupLink, setUp } from '../api/auth.ts'
import { NewAccount } from './new-account.tsx'

/** The one-time link's page: the first admin. */
export default function SetUpPage() {
  const { t } = useTranslation()
  return (
    <NewAccount
      kind="set-up link"
      title={t('auth.setUp')}
      text={() => t('auth.setUpText')}
      noToken={t('auth.noToken')}
      button={t('auth.create')}
      look={(api, token) => checkSetupLink(api, token).then(() => true)}
      make={setUp}
    />
  )
}
