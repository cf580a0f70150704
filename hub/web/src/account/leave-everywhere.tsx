import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { signOutEverywhere } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'

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
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('account.everywhereTitle')}
        confirm={t('account.everywhere')}
        pending={leave.isPending}
        error={leave.error}
        onConfirm={() => leave.mutate()}
      >
        <p>{t('account.everywhereText')}</p>
      </ConfirmDialog>
    </>
  )
}
