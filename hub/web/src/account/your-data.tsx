import { Button, Modal, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { closeAccount, exportPath } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { DownloadButton } from '../notices/download-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './account.module.css'

/** What the hub knows of me to take home, and the end of the account. */
export function YourData({ onClosed }: { onClosed: () => Promise<void> }) {
  const { t } = useTranslation()
  const api = useApi()
  const [asking, setAsking] = useState(false)
  const [password, setPassword] = useState('')
  const [sent, setSent] = useState(false)
  const close = useMutation({ mutationFn: () => closeAccount(api, password), onSuccess: onClosed })
  const ask = () => {
    close.reset()
    setPassword('')
    setSent(false)
    setAsking(true)
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (password !== '') close.mutate()
  }
  return (
    <section className={styles.section} aria-labelledby="data">
      <h2 id="data">{t('account.data')}</h2>
      <p className="soft">{t('account.dataText')}</p>
      <div className={styles.outcome}>
        <DownloadButton href={exportPath}>{t('account.export')}</DownloadButton>
        <Button variant="default" onClick={ask}>
          {t('account.close')}
        </Button>
      </div>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('account.closeTitle')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <form className={dialog.content} onSubmit={send} noValidate>
          <p>{t('account.closeText')}</p>
          <PasswordInput
            label={t('auth.password')}
            autoComplete="current-password"
            data-autofocus
            value={password}
            error={sent && password === '' ? t('account.currentMissing') : undefined}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {close.error === null ? null : <ProblemNotice error={close.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" onClick={() => setAsking(false)}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" color="red" loading={close.isPending}>
              {t('account.closeButton')}
            </Button>
          </div>
        </form>
      </Modal>
    </section>
  )
}
