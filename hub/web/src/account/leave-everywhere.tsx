import { Button, Modal } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { signOutEverywhere } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'

/** Ends every sign-in of mine, once I have said yes. */
export function LeaveEverywhere({ onLeft }: { onLeft: () => Promise<void> }) {
  const { t } = useTranslation()
  const api = useApi()
  const [asking, setAsking] = useState(false)
  const leave = useMutation({ mutationFn: () => signOutEverywhere(api), onSuccess: onLeft })
  return (
    <>
      <Button variant="default" onClick={() => setAsking(true)}>
        {t('account.everywhere')}
      </Button>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('account.everywhereTitle')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <div className={dialog.content}>
          <p>{t('account.everywhereText')}</p>
          {leave.error === null ? null : <ProblemNotice error={leave.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" data-autofocus onClick={() => setAsking(false)}>
              {t('common.cancel')}
            </Button>
            <Button color="red" loading={leave.isPending} onClick={() => leave.mutate()}>
              {t('account.everywhere')}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  )
}
