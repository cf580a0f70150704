import type { OwnGroup } from '@fernlab/shared/contracts/groups'
import { Button } from '@mantine/core'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Api } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import type { Page } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import account from './account.module.css'
import styles from './groups.module.css'

const path = '/api/v1/me/groups'

/** The groups that the person is in directly. */
export const ownGroupsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me', 'groups'],
    queryFn: ({ signal }) => api.get<Page<OwnGroup>>(path, signal),
  })

/** The groups and courses that I am in: as what, since when, and the way out where there is one. */
export function Groups() {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const groups = useQuery(ownGroupsQuery(api))
  const [leaving, setLeaving] = useState<OwnGroup>()
  const leave = useMutation({
    mutationFn: ({ id }: OwnGroup) => api.send('DELETE', `${path}/${id}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['me', 'groups'] })
      for (const queryKey of [['groups'], ['may']]) void client.invalidateQueries({ queryKey })
      setLeaving(undefined)
    },
  })
  return (
    <section className={account.section} aria-labelledby="own-groups">
      <h2 id="own-groups">{t('ownGroups.title')}</h2>
      {groups.data === undefined ? (
        groups.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={groups.error} onRetry={() => void groups.refetch()} />
        )
      ) : groups.data.items.length === 0 ? (
        <p className="soft">{t('ownGroups.empty')}</p>
      ) : (
        <ul className={account.list}>
          {groups.data.items.map((group) => (
            <GroupRow
              key={group.id}
              group={group}
              onLeave={() => {
                leave.reset()
                setLeaving(group)
              }}
            />
          ))}
        </ul>
      )}
      <ConfirmDialog
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={t('ownGroups.leaveTitle', { name: leaving?.name ?? '' })}
        confirm={t('ownGroups.leave')}
        pending={leave.isPending}
        error={leave.error}
        onConfirm={() => leaving && leave.mutate(leaving)}
      >
        <p>{t('ownGroups.leaveText')}</p>
      </ConfirmDialog>
    </section>
  )
}

function GroupRow({ group, onLeave }: { group: OwnGroup; onLeave: () => void }) {
  const { t, moment } = useWords()
  const { id, name, kind, role, since, from, until, instructors, stays } = group
  const now = Date.now()
  const time =
    until !== undefined && Date.parse(until) <= now
      ? t('ownGroups.over', { time: moment(until) })
      : from !== undefined && Date.parse(from) > now
        ? t('ownGroups.begins', { time: moment(from) })
        : until === undefined
          ? ''
          : t('ownGroups.ends', { time: moment(until) })
  return (
    <li className={styles.group}>
      <span className={styles.name}>
        <Link to="/people/groups/$groupId" params={{ groupId: id }}>
          {name}
        </Link>
        <span className="soft">{[t(`ownGroups.kinds.${kind}`), time].filter(Boolean).join(', ')}</span>
      </span>
      <span className={styles.role}>
        {t(`ownGroups.roles.${role}`)}
        <span className="soft">{t('ownGroups.since', { time: moment(since) })}</span>
      </span>
      <span className="soft">
        {instructors.length === 0 || stays === 'last-instructor'
          ? ''
          : t('ownGroups.instructors', { names: instructors.join(', ') })}
      </span>
      {stays === undefined ? (
        <Button size="xs" variant="default" aria-label={`${t('ownGroups.leave')}: ${name}`} onClick={onLeave}>
          {t('ownGroups.leave')}
        </Button>
      ) : (
        <span className="soft">{t(`ownGroups.stays.${stays}`)}</span>
      )}
    </li>
  )
}
