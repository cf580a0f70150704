import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import dialog from '../notices/dialog.module.css'
import { DownloadButton } from '../notices/download-button.tsx'
import styles from './account.module.css'

/** Recovery codes, shown once. */
export function RecoveryCodes({ codes, done, onDone }: { codes: readonly string[]; done: string; onDone: () => void }) {
  const { t } = useTranslation()
  return (
    <div className={dialog.content}>
      <p>{t('account.recoveryText')}</p>
      <ul className={styles.codes}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={dialog.buttons}>
        <DownloadButton
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join('\r\n')}\r\n`)}`}
          name="fernlab-recovery-codes.txt"
        >
          {t('account.recoverySave')}
        </DownloadButton>
        <Button onClick={onDone}>{done}</Button>
      </div>
    </div>
  )
}
