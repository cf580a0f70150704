import type { Group } from '@fernlab/shared/contracts/groups'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { SearchField } from '../frame/search-field.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { PeopleNav } from '../people/people-nav.tsx'
import { useWords } from '../words/use-words.ts'
import { GroupDialog } from './group-dialog.tsx'
import { groupsQuery } from './group-queries.ts'
import { asTree, withName } from './group-tree.ts'
import styles from './groups.module.css'

/** The groups and courses that the person may see, each below the one that it is within. */
export default function GroupsPage() {
  const { t } = useWords()
  useTitle(t('groups.title'))
  const api = useApi()
  const me = useQuery(meQuery(api))
  const groups = useQuery(groupsQuery(api))
  const { q = '' } = useSearch({ from: '/framed/people/groups' })
  const navigate = useNavigate({ from: '/people/groups' })
  const [making, setMaking] = useState(false)
  const staff = isStaff(me.data?.role)
  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setMaking(true)}>
      {t('groups.make')}
    </Button>
  )
  return (
    <Page title={t('groups.title')} {...(staff ? { aside: add } : {})}>
      {staff ? <PeopleNav /> : null}
      {groups.data === undefined ? (
        groups.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={groups.error} onRetry={() => void groups.refetch()} />
        )
      ) : groups.data.length === 0 ? (
        <EmptyState title={t('groups.empty')}>{t(staff ? 'groups.emptyText' : 'groups.emptyMine')}</EmptyState>
      ) : (
        <>
          <div className={styles.find}>
            <SearchField
              label={t('groups.search')}
              value={q}
              onChange={(text) => void navigate({ search: withChoice({ q }, { q: text }), replace: true })}
            />
          </div>
          <Found groups={withName(groups.data, q)} />
        </>
      )}
      {making ? <GroupDialog onClose={() => setMaking(false)} /> : null}
    </Page>
  )
}

function Found({ groups }: { groups: readonly Group[] }) {
  const { t } = useWords()
  if (groups.length === 0) return <p className="soft">{t('groups.noGroup')}</p>
  return (
    <ul className={styles.list}>
      {asTree(groups).map(({ group, depth }) => (
        <GroupRow key={group.id} group={group} depth={depth} />
      ))}
    </ul>
  )
}

function GroupRow({ group, depth }: { group: Group; depth: number }) {
  const { t } = useWords()
  return (
    <li className={styles.row}>
      <span className={styles.name} style={{ paddingInlineStart: `${Math.min(depth, 6) * 20}px` }}>
        <Link to="/people/groups/$groupId" params={{ groupId: group.id }}>
          {group.name}
        </Link>
        {group.mine === undefined ? null : <span className="soft"> ({t(`groups.mine.${group.mine}`)})</span>}
      </span>
      <span>{t('groups.people', { count: group.people })}</span>
      <span className="soft">{group.instructors.map(({ name }) => name).join(', ')}</span>
      <span className="soft">
        <Times group={group} />
      </span>
    </li>
  )
}

/** When a course begins and ends; a plain group has no times. */
export function Times({ group: { kind, from, until } }: { group: Group }) {
  const { t, date } = useWords()
  if (kind !== 'course') return null
  const [begins, ends] = [from === undefined ? '' : date(from), until === undefined ? '' : date(until)]
  if (begins === '' && ends === '') return t('groups.course')
  if (ends === '') return t('groups.courseFrom', { from: begins })
  if (begins === '') return t('groups.courseUntil', { until: ends })
  return t('groups.courseTimes', { from: begins, until: ends })
}
