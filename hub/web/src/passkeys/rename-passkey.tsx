import type { Passkey } from '@fernlab/shared/contracts/passkeys'
import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { renamePasskey } from './calls.ts'

/** Another name for a passkey. */
export function RenamePasskey({ passkey, onRenamed }: { passkey: Passkey; onRenamed: () => void }) {
  const { t } = useTranslation()
  const api = useApi()
  const form = useForm({ name: passkey.name }, ({ name }) =>
    name.trim() === '' ? { name: t('passkey.nameMissing') } : {},
  )
  const rename = useMutation({
    mutationFn: (values: { name: string }) => renamePasskey(api, passkey.id, values.name),
    onSuccess: onRenamed,
  })
  return (
    <form className={dialog.content} noValidate onSubmit={form.onSubmit((values) => rename.mutate(values))}>
      <TextInput label={t('passkey.name')} name="name" maxLength={60} data-autofocus {...form.field('name')} />
      {rename.error === null ? null : <ProblemNotice error={rename.error} />}
      <div className={dialog.buttons}>
        <Button type="submit" loading={rename.isPending}>
          {t('account.saveName')}
        </Button>
      </div>
    </form>
  )
}
