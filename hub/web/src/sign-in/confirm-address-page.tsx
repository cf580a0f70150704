import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { confirmAddress } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { useLinkToken } from './use-link-token.ts'

/** The link to a new address. It asks for a press: mail servers open links to look behind them. */
export default function ConfirmAddressPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const token = useLinkToken()
  const confirm = useMutation({
    mutationFn: () => confirmAddress(api, token ?? ''),
    onSuccess: () => client.invalidateQueries({ queryKey: ['me'] }),
  })
  const text = token === undefined ? t('auth.confirmAddressNoToken') : t('auth.confirmAddressText')
  return (
    <Entrance title={t('auth.confirmAddress')} {...(confirm.isSuccess ? {} : { text })}>
      {confirm.isSuccess ? (
        <p role="status">{t('auth.confirmAddressDone', { email: confirm.data.email })}</p>
      ) : token === undefined ? null : (
        <div className={styles.form}>
          {confirm.error === null ? null : <ProblemNotice error={confirm.error} />}
          <Button size="md" loading={confirm.isPending} onClick={() => confirm.mutate()}>
            {t('auth.confirmAddressButton')}
          </Button>
        </div>
      )}
      <LinkButton to="/account">{t('auth.toAccount')}</LinkButton>
    </Entrance>
  )
}
