import { Button, Modal, PasswordInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useForm } from '../sign-in/use-form.ts'

interface Props {
  readonly opened: boolean
  readonly title: string
  readonly text: string
  /** Says what is done. */
  readonly confirm: string
  readonly grave?: boolean
  readonly pending: boolean
  readonly error: unknown
  readonly onConfirm: (password: string) => void
  readonly onClose: () => void
}

/** Asks for the password before something is done; give it a `key` that changes, and it starts empty. */
export function WithPassword({ opened, title, text, confirm, grave, pending, error, onConfirm, onClose }: Props) {
  const { t } = useTranslation()
  const form = useForm({ password: '' }, (values) =>
    values.password === '' ? { password: t('account.currentMissing') } : {},
  )
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('common.close') }}>
      <form className={dialog.content} noValidate onSubmit={form.onSubmit((values) => onConfirm(values.password))}>
        <p>{text}</p>
        <PasswordInput
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          data-autofocus
          {...form.field('password')}
        />
        {error == null ? null : <ProblemNotice error={error} />}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={pending} {...(grave === true ? { color: 'red' } : {})}>
            {confirm}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
