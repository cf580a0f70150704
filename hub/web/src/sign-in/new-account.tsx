import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { looksLikeMail, useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

interface Account {
  readonly token: string
  readonly name: string
  readonly email: string
  readonly password: string
}

interface Props<Opened> {
  /** Names the kind of link among what is remembered. */
  readonly kind: string
  readonly title: string
  /** What the link opens, once it is known to work. */
  readonly text: (opened: Opened) => string
  /** When a part of the link is missing. */
  readonly noToken: string
  readonly button: string
  /** Rejects when the link does not work. */
  readonly look: (api: Api, token: string) => Promise<Opened>
  /** Makes the account and signs in. */
  readonly make: (api: Api, account: Account) => Promise<unknown>
  /** What stands in place of the form for this link, for who needs no account by it. */
  readonly instead?: (opened: Opened, token: string) => ReactNode
  readonly children?: ReactNode
}

/** The page of a link by which a person makes an account of their own. */
export function NewAccount<Opened>({
  kind,
  title,
  text,
  noToken,
  button,
  look,
  make,
  instead,
  children,
}: Props<Opened>) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const token = useLinkToken()
  const link = useQuery({
    queryKey: [kind, token],
    queryFn: () => look(api, token ?? ''),
    enabled: token !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  const form = useForm({ name: '', email: '', password: '' }, (values) => ({
    ...(values.name.trim() === '' ? { name: t('auth.nameMissing') } : {}),
    ...(looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }),
    ...(values.password.length < 10 ? { password: t('auth.passwordShort') } : {}),
  }))
  const create = useMutation({
    mutationFn: (values: Omit<Account, 'token'>) => make(api, { ...values, token: token ?? '' }),
    onSuccess: async () => {
      // The link may just have been used up: to ask for it again would find it so.
      await client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== kind })
      await navigate({ to: '/labs', replace: true })
    },
  })
  const back = <Link to="/sign-in">{t('auth.back')}</Link>
  if (token === undefined) {
    return (
      <Entrance title={title} text={noToken}>
        {back}
      </Entrance>
    )
  }
  if (link.data === undefined) {
    return (
      <Entrance title={title}>
        {link.error === null ? <Loading /> : <ProblemNotice error={link.error} onRetry={() => void link.refetch()} />}
        {back}
      </Entrance>
    )
  }
  const other = instead?.(link.data, token)
  if (other !== undefined) {
    return (
      <Entrance title={title} text={text(link.data)}>
        {other}
      </Entrance>
    )
  }
  return (
    <Entrance title={title} text={text(link.data)}>
      <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => create.mutate(values))}>
        <TextInput label={t('auth.name')} name="name" autoComplete="name" autoFocus {...form.field('name')} />
        <TextInput label={t('auth.email')} name="email" type="email" autoComplete="username" {...form.field('email')} />
        <PasswordInput
          label={t('auth.password')}
          description={t('auth.passwordHelp')}
          name="password"
          autoComplete="new-password"
          {...form.field('password')}
        />
        {create.error === null ? null : <ProblemNotice error={create.error} />}
        <Button type="submit" size="md" loading={create.isPending}>
          {button}
        </Button>
        {children}
      </form>
    </Entrance>
  )
}
