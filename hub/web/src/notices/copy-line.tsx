import { Button, CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import styles from './notices.module.css'

/** Text to copy, such as a command or a secret that is shown once. */
export function CopyLine({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation()
  return (
    <div className={styles.copyLine}>
      <span className="visually-hidden">{label}</span>
      <code className={styles.copyText}>{value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            size="xs"
            onClick={copy}
            leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          >
            {copied ? t('common.copied') : t('common.copy')}
          </Button>
        )}
      </CopyButton>
    </div>
  )
}
