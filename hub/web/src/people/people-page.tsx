import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconFileImport, IconPlus, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery, peopleQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { GroupSelect } from '../groups/group-select.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { ImportDialog } from './import-dialog.tsx'
import { Invitations } from './invitations.tsx'
import { InviteDialog } from './invite-dialog.tsx'
import styles from './people.module.css'
import { PeopleNav } from './people-nav.tsx'
import { PersonRow } from './person-row.tsx'
import { allRoles } from './roles.ts'

/** Who may use this hub, as what, and the links by which others come. */
export default function PeoplePage() {
  const { t } = useWords()
  useTitle(t('people.title'))
  const api = useApi()
  const search = useSearch({ from: '/framed/people' })
  const navigate = useNavigate({ from: '/people' })
  const me = useQuery(meQuery(api))
  const people = useInfiniteQuery(peopleQuery(api, search))
  const [inviting, setInviting] = useState(false)
  const [importing, setImporting] = useState(false)
  const find = (change: { q?: string; group?: string; role?: string }) =>
    void navigate({ search: withChoice(search, change), replace: true })
  const items = people.data?.pages.flatMap((page) => page.items)
  const ways = (
    <>
      <Button
        variant="default"
        leftSection={<IconFileImport size={16} aria-hidden="true" />}
        onClick={() => setImporting(true)}
      >
        {t('people.import')}
      </Button>
      <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setInviting(true)}>
        {t('people.invite')}
      </Button>
    </>
  )
  return (
    <Page title={t('people.title')} aside={ways}>
      <PeopleNav />
      <div className={styles.people}>
        <div className={styles.filters}>
          <TextInput
            aria-label={t('people.search')}
            placeholder={t('people.search')}
            type="search"
            leftSection={<IconSearch size={16} aria-hidden="true" />}
            value={search.q ?? ''}
            onChange={(event) => find({ q: event.currentTarget.value })}
          />
          <GroupSelect
            aria-label={t('people.group')}
            none={t('people.anyGroup')}
            value={search.group ?? ''}
            onChange={(event) => find({ group: event.currentTarget.value })}
          />
          <NativeSelect
            aria-label={t('account.role')}
            value={search.role ?? ''}
            data={[
              { value: '', label: t('people.anyRole') },
              ...allRoles.map((role) => ({ value: role, label: t(`account.roles.${role}`) })),
            ]}
            onChange={(event) => find({ role: event.currentTarget.value })}
          />
        </div>
        {items === undefined ? (
          people.error === null ? (
            <Loading />
          ) : (
            <ProblemNotice error={people.error} onRetry={() => void people.refetch()} />
          )
        ) : items.length === 0 ? (
          <EmptyState
            title={t('people.nobody')}
            action={
              Object.keys(search).length > 0 ? (
                <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
                  {t('people.all')}
                </Button>
              ) : undefined
            }
          >
            {t(search.group === undefined ? 'people.nobodyText' : 'people.nobodyInGroup')}
          </EmptyState>
        ) : (
          <ul className={styles.list}>
            {items.map((person) => (
              <PersonRow key={person.id} person={person} me={me.data ?? null} />
            ))}
          </ul>
        )}
        <MoreButton list={people}>{t('people.more')}</MoreButton>
        <Invitations />
      </div>
      <ImportDialog opened={importing} role={me.data?.role} onClose={() => setImporting(false)} />
      <InviteDialog opened={inviting} role={me.data?.role} onClose={() => setInviting(false)} />
    </Page>
  )
}
