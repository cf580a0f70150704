import { Button, Modal } from '@mantine/core'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { useWords } from '../words/use-words.ts'

/** The link by which others take part. */
export default function PartnerLink({ link, onClose }: { link: string; onClose: () => void }) {
  const { t } = useWords()
  return (
    <Modal opened onClose={onClose} title={t('session.invite')} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <div className={dialog.content}>
        <p>{t('session.inviteText')}</p>
        <CopyLine value={link} label={t('session.invite')} />
        <div className={dialog.buttons}>
          <Button data-autofocus onClick={onClose}>
            {t('common.close')}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
