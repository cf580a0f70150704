import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import dialog from '../notices/dialog.module.css'
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
        <Button
          component="a"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join('\r\n')}\r\n`)}`}
          download="fernlab-recovery-codes.txt"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden="true" />}
        >
          {t('account.recoverySave')}
        </Button>
        <Button onClick={onDone}>{done}</Button>
      </div>
    </div>
  )
}
