import type { secondStepNeededSchema } from '@fernlab/shared/contracts/sign-in'
import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import { giveCode } from '../api/auth.ts'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { WithPasskey } from '../passkeys/with-passkey.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { useForm } from './use-form.ts'

export type SecondStepBy = z.infer<typeof secondStepNeededSchema>['by']

interface Props {
  readonly by: SecondStepBy
  /** The address whose page may ask for passkeys. */
  readonly passkeysAt: string | undefined
  readonly onEntered: () => Promise<void>
  readonly onBack: () => void
}

/** After the password: a code of the person's app, or a passkey. */
export function SecondStep({ by, passkeysAt, onEntered, onBack }: Props) {
  const { t } = useTranslation()
  const api = useApi()
  const [trustBrowser, setTrustBrowser] = useState(false)
  const form = useForm({ code: '' }, (values) => (values.code.trim() === '' ? { code: t('auth.codeMissing') } : {}))
  const give = useMutation({
    mutationFn: (values: { code: string }) => giveCode(api, { ...values, trustBrowser }),
    onSuccess: onEntered,
  })
  const over = give.error instanceof ApiProblem && give.error.code === 'second-step-over'
  return (
    <Entrance title={t('auth.codeTitle')} text={t(by.includes('code') ? 'auth.codeText' : 'passkey.step')}>
      {by.includes('passkey') && passkeysAt !== undefined ? (
        <WithPasskey at={passkeysAt} onEntered={onEntered} />
      ) : null}
      {by.includes('code') ? (
        <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => give.mutate(values))}>
          <TextInput
            label={t('auth.code')}
            name="code"
            // Recovery codes have letters.
            inputMode="text"
            autoComplete="one-time-code"
            autoFocus
            {...form.field('code')}
          />
          <Checkbox
            label={t('auth.trust')}
            checked={trustBrowser}
            onChange={(event) => setTrustBrowser(event.currentTarget.checked)}
          />
          {give.error === null ? null : <ProblemNotice error={give.error} />}
          {over ? null : (
            <Button type="submit" size="md" loading={give.isPending}>
              {t('auth.codeButton')}
            </Button>
          )}
        </form>
      ) : null}
      <Button variant={over ? 'filled' : 'subtle'} onClick={onBack}>
        {over ? t('auth.back') : t('auth.otherPerson')}
      </Button>
    </Entrance>
  )
}
