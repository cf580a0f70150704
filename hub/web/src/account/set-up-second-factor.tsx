import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { beginSecondFactor, confirmSecondFactor } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { RecoveryCodes } from './recovery-codes.tsx'

const QrPicture = lazy(() => import('./qr-picture.tsx'))

interface Props {
  /** Says what comes after the recovery codes were kept. */
  readonly done: string
  readonly onDone: () => void
}

/** The password, then the secret for the app with a first code of it, then the recovery codes. */
export function SetUpSecondFactor({ done, onDone }: Props) {
  const { t } = useTranslation()
  const api = useApi()
  const password = useForm({ password: '' }, (values) =>
    values.password === '' ? { password: t('account.currentMissing') } : {},
  )
  const code = useForm({ code: '' }, (values) => (values.code.trim() === '' ? { code: t('auth.codeMissing') } : {}))
  const begin = useMutation({ mutationFn: (values: { password: string }) => beginSecondFactor(api, values.password) })
  const confirm = useMutation({ mutationFn: (values: { code: string }) => confirmSecondFactor(api, values.code) })
  if (confirm.data !== undefined) {
    return <RecoveryCodes codes={confirm.data.recoveryCodes} done={done} onDone={onDone} />
  }
  if (begin.data !== undefined) {
    const { secret, uri } = begin.data
    return (
      <form className={dialog.content} noValidate onSubmit={code.onSubmit((values) => confirm.mutate(values))}>
        <p>{t('account.secondScan')}</p>
        <Suspense fallback={<Loading lines={4} />}>
          <QrPicture text={uri} label={t('account.secondPicture')} />
        </Suspense>
        <CopyLine value={secret} label={t('account.secondSecret')} />
        <TextInput
          label={t('auth.code')}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          {...code.field('code')}
        />
        {confirm.error === null ? null : <ProblemNotice error={confirm.error} />}
        <div className={dialog.buttons}>
          <Button type="submit" loading={confirm.isPending}>
            {t('account.secondConfirm')}
          </Button>
        </div>
      </form>
    )
  }
  return (
    <form className={dialog.content} noValidate onSubmit={password.onSubmit((values) => begin.mutate(values))}>
      <PasswordInput
        label={t('auth.password')}
        name="password"
        autoComplete="current-password"
        data-autofocus
        {...password.field('password')}
      />
      {begin.error === null ? null : <ProblemNotice error={begin.error} />}
      <div className={dialog.buttons}>
        <Button type="submit" loading={begin.isPending}>
          {t('account.goOn')}
        </Button>
      </div>
    </form>
  )
}
