import type { Group } from '@fernlab/shared/contracts/groups'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { runsQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { RunList } from '../runs/run-list.tsx'
import { useWords } from '../words/use-words.ts'
import { GroupDialog } from './group-dialog.tsx'
import { groupQuery, groupRemovalQuery } from './group-queries.ts'
import styles from './groups.module.css'
import { Times } from './groups-page.tsx'
import { Members } from './members.tsx'

const OpenSessions = lazy(() => withTexts(['session'], () => import('../session/open-sessions.tsx')))

/** One group: who is in it, who is on a bench now, and what they have run lately. */
export default function GroupPage() {
  const { t } = useWords()
  const { groupId } = useParams({ from: '/framed/people/groups/$groupId' })
  const group = useQuery(groupQuery(useApi(), groupId))
  useTitle(group.data?.name ?? t('groups.title'))
  if (group.data !== undefined) return <Shown key={groupId} group={group.data} />
  if (isAbsent(group.error)) return <NotFound />
  return (
    <Page title={t('groups.title')}>
      {group.error === null ? <Loading /> : <ProblemNotice error={group.error} onRetry={() => void group.refetch()} />}
    </Page>
  )
}

function Shown({ group }: { group: Group }) {
  const { t } = useWords()
  const [changing, setChanging] = useState(false)
  const [removing, setRemoving] = useState(false)
  const ways = (
    <>
      <LinkButton to="/usage" search={{ course: group.id }} variant="default">
        {t('nav.usage')}
      </LinkButton>
      <Button variant="default" onClick={() => setRemoving(true)}>
        {t('groups.remove')}
      </Button>
      <Button variant="default" onClick={() => setChanging(true)}>
        {t('groups.change')}
      </Button>
    </>
  )
  return (
    <Page title={group.name} {...(group.manages ? { aside: ways } : {})}>
      <p className="soft">
        <Link to="/people/groups">{t('groups.title')}</Link> · {group.id} ·{' '}
        {t('groups.people', { count: group.people })}
        {group.kind === 'course' ? ' · ' : ''}
        <Times group={group} />
        {group.within === undefined ? null : (
          <>
            {' · '}
            {t('groups.in')}{' '}
            <Link to="/people/groups/$groupId" params={{ groupId: group.within }}>
              {group.within}
            </Link>
          </>
        )}
      </p>
      {group.sees ? (
        <Suspense fallback={<Loading />}>
          <OpenSessions group={group.id}>
            <Members group={group} />
            <GroupRuns group={group} />
          </OpenSessions>
        </Suspense>
      ) : (
        <p>
          {t('groups.notSeen', { names: group.instructors.map(({ name }) => name).join(', ') || t('groups.staff') })}
        </p>
      )}
      {changing ? <GroupDialog group={group} onClose={() => setChanging(false)} /> : null}
      {removing ? <Remove group={group} onClose={() => setRemoving(false)} /> : null}
    </Page>
  )
}

function GroupRuns({ group }: { group: Group }) {
  const { t } = useWords()
  const runs = useInfiniteQuery(runsQuery(useApi(), { person: undefined, group: group.id, limit: 10 }))
  const items = runs.data?.pages.flatMap((page) => page.items)
  return (
    <section className={styles.section} aria-labelledby="group-runs">
      <h2 id="group-runs">{t('groups.runs')}</h2>
      {items === undefined ? (
        runs.error === null ? (
          <Loading lines={3} />
        ) : (
          <ProblemNotice error={runs.error} onRetry={() => void runs.refetch()} />
        )
      ) : items.length === 0 ? (
        <p className="soft">{t('groups.noRuns')}</p>
      ) : (
        <RunList runs={items} withPerson />
      )}
      <MoreButton list={runs}>{t('people.more')}</MoreButton>
    </section>
  )
}

function Remove({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const removal = useQuery(groupRemovalQuery(api, group.id))
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', `/api/v1/groups/${group.id}`),
    onSuccess: async () => {
      await navigate({ to: '/people/groups' })
      await client.invalidateQueries({ queryKey: ['groups', 'list'] })
    },
  })
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t('groups.removeTitle', { name: group.name })}
      confirm={t('groups.remove')}
      pending={remove.isPending || removal.isPending}
      error={remove.error ?? removal.error}
      onConfirm={() => removal.data && remove.mutate()}
    >
      {removal.data === undefined ? (
        <Loading lines={2} />
      ) : (
        <>
          <ul className={styles.goes}>
            <li>{t('groups.goesPeople', { count: removal.data.people })}</li>
            {removal.data.inner.length === 0 ? null : (
              <li>{t('groups.goesInner', { groups: removal.data.inner.join(', ') })}</li>
            )}
            {removal.data.invitations === 0 ? null : (
              <li>{t('groups.goesInvitations', { count: removal.data.invitations })}</li>
            )}
            {removal.data.permissions === 0 ? null : (
              <li>{t('groups.goesPermissions', { count: removal.data.permissions })}</li>
            )}
          </ul>
          <p>{t('groups.stays')}</p>
        </>
      )}
    </ConfirmDialog>
  )
}
