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
      <code className={styles.copyText}>{unbroken(value)}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            size="xs"
            onClick={copy}
            aria-label={`${copied ? t('common.copied') : t('common.copy')}: ${label}`}
            leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          >
            {copied ? t('common.copied') : t('common.copy')}
          </Button>
        )}
      </CopyButton>
    </div>
  )
}

/** In pieces that no line breaks before it must: after a stroke, but not at the hyphens of a name. */
const unbroken = (value: string) =>
  value.split(/(?<=\s|\/(?!\/))/).map((piece, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text
    <span key={at} className={styles.piece}>
      {piece}
    </span>
  ))
