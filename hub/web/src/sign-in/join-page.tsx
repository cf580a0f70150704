import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { join, lookAtInvitation } from '../api/auth.ts'
import styles from './entrance.module.css'
import { NewAccount } from './new-account.tsx'

/** An invitation's page: who invites, and an account of one's own. */
export default function JoinPage() {
  const { t } = useTranslation()
  return (
    <NewAccount
      kind="invitation"
      title={t('auth.join')}
      text={({ by, role }) => t('auth.joinText', { name: by, role: t(`account.roles.${role}`) })}
      noToken={t('auth.noInvitation')}
      button={t('auth.joinButton')}
      look={lookAtInvitation}
      make={join}
    >
      <div className={styles.links}>
        <Link to="/sign-in">{t('auth.haveAccount')}</Link>
      </div>
    </NewAccount>
  )
}
