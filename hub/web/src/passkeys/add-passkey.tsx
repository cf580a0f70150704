import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { useForm } from '../sign-in/use-form.ts'
import { addPasskey } from './calls.ts'
import { PasskeyProblem } from './passkey-problem.tsx'

/** Asks for a name and the password, then has the device make a passkey. */
export function AddPasskey({ onAdded }: { onAdded: () => void }) {
  const { t } = useTranslation()
  const api = useApi()
  const form = useForm({ name: '', password: '' }, ({ name, password }) => ({
    ...(name.trim() === '' ? { name: t('passkey.nameMissing') } : {}),
    ...(password === '' ? { password: t('account.currentMissing') } : {}),
  }))
  const add = useMutation({
    mutationFn: (values: { name: string; password: string }) => addPasskey(api, values),
    onSuccess: onAdded,
  })
  return (
    <form className={dialog.content} noValidate onSubmit={form.onSubmit((values) => add.mutate(values))}>
      <p>{t('passkey.addText')}</p>
      <TextInput
        label={t('passkey.name')}
        placeholder={t('passkey.namePlaceholder')}
        name="name"
        maxLength={60}
        data-autofocus
        {...form.field('name')}
      />
      <PasswordInput
        label={t('auth.password')}
        name="password"
        autoComplete="current-password"
        {...form.field('password')}
      />
      {add.error === null ? null : <PasskeyProblem error={add.error} />}
      <div className={dialog.buttons}>
        <Button type="submit" loading={add.isPending}>
          {t('account.goOn')}
        </Button>
      </div>
    </form>
  )
}
