import { Button, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { changePassword } from '../api/auth.ts'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useForm } from '../sign-in/use-form.ts'
import styles from './account.module.css'

/** Another password; it ends the sign-ins elsewhere. */
export function ChangePassword() {
  const { t } = useTranslation()
  const api = useApi()
  const form = useForm({ currentPassword: '', newPassword: '' }, (values) => ({
    ...(values.currentPassword === '' ? { currentPassword: t('account.currentMissing') } : {}),
    ...(values.newPassword.length < 10 ? { newPassword: t('auth.passwordShort') } : {}),
  }))
  useUnsaved(form.values)
  const save = useMutation({
    mutationFn: (values: { currentPassword: string; newPassword: string }) => changePassword(api, values),
    onSuccess: form.clear,
  })
  const wrong = save.error instanceof ApiProblem && save.error.code === 'wrong-credentials'
  const current = form.field('currentPassword')
  return (
    <section className={styles.section} aria-labelledby="password">
      <h2 id="password">{t('account.password')}</h2>
      <form className={styles.passwords} noValidate onSubmit={form.onSubmit((values) => save.mutate(values))}>
        <PasswordInput
          label={t('account.currentPassword')}
          name="currentPassword"
          autoComplete="current-password"
          {...current}
          error={current.error ?? (wrong ? t('account.currentWrong') : undefined)}
          onChange={(event) => {
            current.onChange(event)
            if (wrong) save.reset()
          }}
        />
        <PasswordInput
          label={t('auth.newPassword')}
          name="newPassword"
          autoComplete="new-password"
          {...form.field('newPassword')}
        />
        {save.error === null || wrong ? null : <ProblemNotice error={save.error} />}
        <div className={styles.outcome}>
          <Button type="submit" variant="default" loading={save.isPending}>
            {t('account.passwordSave')}
          </Button>
          <span role="status" className="soft">
            {save.isSuccess ? t('account.passwordSaved') : ''}
          </span>
        </div>
      </form>
    </section>
  )
}
