import { Button, Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import dialog from './dialog.module.css'
import { ProblemNotice } from './problem-notice.tsx'

interface Props {
  readonly opened: boolean
  readonly title: string
  /** What will be done, and what stays. */
  readonly children: ReactNode
  /** Says what is done, not "yes". */
  readonly confirm: string
  /** Instead of "Cancel", where that could be what is asked. */
  readonly keep?: string
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly pending?: boolean
  /** Why it could not be done. */
  readonly error?: unknown
  /** As of ProblemNotice. */
  readonly say?: (message: string) => string
}

/** Asks before something is done that can not be taken back; the way out has the focus. */
export function ConfirmDialog({
  opened,
  title,
  children,
  confirm,
  keep,
  onConfirm,
  onClose,
  pending,
  error,
  say,
}: Props) {
  const { t } = useTranslation()
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <div className={dialog.content}>
        {children}
        {error == null ? null : <ProblemNotice error={error} {...(say === undefined ? {} : { say })} />}
        <div className={dialog.buttons}>
          <Button variant="default" data-autofocus onClick={onClose}>
            {keep ?? t('common.cancel')}
          </Button>
          <Button color="red" loading={pending ?? false} onClick={onConfirm}>
            {confirm}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
