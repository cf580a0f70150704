import { Button } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { signOut } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { meQuery, siteQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Passkeys } from '../passkeys/passkeys.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './account.module.css'
import { Address } from './address.tsx'
import { BookingLetters } from './booking-letters.tsx'
import { ChangePassword } from './change-password.tsx'
import { Groups, ownGroupsQuery } from './groups.tsx'
import { LeaveEverywhere } from './leave-everywhere.tsx'
import { Name } from './name.tsx'
import { SecondFactor } from './second-factor.tsx'
import { SignIns } from './sign-ins.tsx'
import { Tokens } from './tokens.tsx'
import { YourData } from './your-data.tsx'

/** Who I am here, how I sign in, my API tokens, my data, and the ways out. */
export default function AccountPage() {
  const { t } = useWords()
  useTitle(t('account.title'))
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const site = useQuery(siteQuery(api))
  const groups = useQuery(ownGroupsQuery(api))
  const toSignIn = async (left?: 'everywhere' | 'closed') => {
    await navigate({ to: '/sign-in', search: left === undefined ? {} : { left } })
    client.clear()
  }
  const leave = useMutation({ mutationFn: () => signOut(api), onSuccess: () => toSignIn() })
  return (
    <Page
      title={t('account.title')}
      aside={
        <>
          <LeaveEverywhere onLeft={() => toSignIn('everywhere')} />
          <Button
            variant="default"
            loading={leave.isPending}
            leftSection={<IconLogout size={16} aria-hidden="true" />}
            onClick={() => leave.mutate()}
          >
            {t('nav.signOut')}
          </Button>
        </>
      }
    >
      {leave.error === null ? null : <ProblemNotice error={leave.error} />}
      {me.data == null ? null : (
        <dl className={styles.me}>
          <div>
            <dt>{t('account.person')}</dt>
            <dd>
              <Name name={me.data.name} />
            </dd>
          </div>
          <div>
            <dt>{t('account.email')}</dt>
            <dd>
              <Address email={me.data.email} mail={site.data?.mail === true} />
            </dd>
          </div>
          <div>
            <dt>{t('account.role')}</dt>
            <dd>{t(`account.roles.${me.data.role}`)}</dd>
          </div>
        </dl>
      )}
      <Groups />
      {/* How many groups there are says where all that follows stands. */}
      {groups.data === undefined && groups.failureCount === 0 ? null : (
        <>
          <ChangePassword />
          <SecondFactor />
          <Passkeys />
          <SignIns />
          {me.data == null || me.data.role === 'guest' ? null : <Tokens role={me.data.role} />}
          {me.data == null || me.data.role === 'guest' ? null : <BookingLetters email={me.data.email} />}
          <YourData onClosed={() => toSignIn('closed')} />
        </>
      )}
    </Page>
  )
}
