import { ActionIcon, Button, Modal, PasswordInput, TextInput } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changeAddress } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { looksLikeMail, useForm } from '../sign-in/use-form.ts'
import styles from './account.module.css'

/** My mail address, and the way to another one, where the site sends letters. */
export function Address({ email, mail }: { email: string; mail: boolean }) {
  const { t } = useTranslation()
  const api = useApi()
  const [asking, setAsking] = useState(false)
  const form = useForm({ email: '', password: '' }, (values) => ({
    ...(looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }),
    ...(values.password === '' ? { password: t('account.currentMissing') } : {}),
  }))
  const ask = useMutation({
    mutationFn: (values: { email: string; password: string }) => changeAddress(api, values),
  })
  const close = () => {
    form.clear()
    setAsking(false)
  }
  const unsaved = useUnsaved(ask.isSuccess ? { email: '', password: '' } : form.values, close)
  return (
    <span className={styles.name}>
      {email}
      {mail ? (
        <ActionIcon
          variant="subtle"
          size="sm"
          aria-label={t('account.changeAddress')}
          onClick={() => {
            ask.reset()
            setAsking(true)
          }}
        >
          <IconPencil size={16} aria-hidden="true" />
        </ActionIcon>
      ) : null}
      <Modal
        opened={asking}
        onClose={unsaved.leave}
        title={t('account.changeAddress')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        {ask.isSuccess ? (
          <div className={dialog.content}>
            <p role="status">{t('account.addressSent', { email: ask.variables.email })}</p>
            <div className={dialog.buttons}>
              <Button onClick={close}>{t('common.done')}</Button>
            </div>
          </div>
        ) : (
          <form className={dialog.content} noValidate onSubmit={form.onSubmit((values) => ask.mutate(values))}>
            <p>{t('account.addressText')}</p>
            <TextInput
              label={t('account.newAddress')}
              name="email"
              type="email"
              autoComplete="email"
              data-autofocus
              {...form.field('email')}
            />
            <PasswordInput
              label={t('auth.password')}
              name="password"
              autoComplete="current-password"
              {...form.field('password')}
            />
            {ask.error === null ? null : <ProblemNotice error={ask.error} />}
            <div className={dialog.buttons}>
              <Button variant="default" onClick={close}>
                {t('common.cancel')}
              </Button>
              <Button type="submit" loading={ask.isPending}>
                {t('account.addressSend')}
              </Button>
            </div>
          </form>
        )}
        {unsaved.question}
      </Modal>
    </span>
  )
}
