import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button, Modal } from '@mantine/core'
import { IconUserPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

/** Makes the link by which others take part, and shows it. */
export function InvitePartner({ session }: { session: Session }) {
  const { t } = useWords()
  const api = useApi()
  const invite = useMutation({
    mutationFn: () => api.send<{ link: string }>('POST', `/api/v1/sessions/${session.id}/link`),
  })
  const close = () => invite.reset()
  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={invite.isPending}
        leftSection={<IconUserPlus size={16} aria-hidden="true" />}
        onClick={() => invite.mutate()}
      >
        {t('session.invite')}
      </Button>
      {invite.error === null ? null : <ProblemNotice error={invite.error} />}
      <Modal
        opened={invite.data !== undefined}
        onClose={close}
        title={t('session.invite')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <div className={dialog.content}>
          <p>{t('session.inviteText')}</p>
          <CopyLine value={invite.data?.link ?? ''} label={t('session.invite')} />
          <div className={dialog.buttons}>
            <Button data-autofocus onClick={close}>
              {t('common.close')}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  )
}
