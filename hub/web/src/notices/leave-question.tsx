import { useTranslation } from 'react-i18next'
import { ConfirmDialog } from './confirm-dialog.tsx'

/** Asks before what was typed is lost. */
export default function LeaveQuestion({ onLeave, onStay }: { onLeave: () => void; onStay: () => void }) {
  const { t } = useTranslation()
  return (
    <ConfirmDialog
      opened
      title={t('unsaved.title')}
      confirm={t('unsaved.leave')}
      keep={t('unsaved.stay')}
      onConfirm={onLeave}
      onClose={onStay}
    >
      <p>{t('unsaved.text')}</p>
    </ConfirmDialog>
  )
}
