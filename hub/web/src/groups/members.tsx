import type { ChangedMembers, ChangeMembers, Group, GroupMember } from '@fernlab/shared/contracts/groups'
import { groupRoles } from '@fernlab/shared/contracts/people'
import { Button, Modal, NativeSelect, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { SearchField } from '../frame/search-field.tsx'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import { groupMembersQuery } from './group-queries.ts'
import styles from './groups.module.css'

function useChangeMembers(group: Group) {
  const api = useApi()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Partial<ChangeMembers>) =>
      api.send<ChangedMembers>('POST', `/api/v1/groups/${group.id}/members`, body),
    onSuccess: () => client.invalidateQueries({ queryKey: ['groups'] }),
  })
}

/** Who is in the group; whoever may change it puts people in, takes them out again and can undo that. */
export function Members({ group }: { group: Group }) {
  const { t } = useWords()
  const [text, setText] = useState('')
  const [q] = useDebouncedValue(text.trim(), 200)
  const members = useInfiniteQuery(groupMembersQuery(useApi(), group.id, q))
  const change = useChangeMembers(group)
  const [adding, setAdding] = useState(false)
  const [out, setOut] = useState<GroupMember>()
  const items = members.data?.pages.flatMap((page) => page.items)
  const takeOut = (member: GroupMember) => change.mutate({ remove: [member.id] }, { onSuccess: () => setOut(member) })
  return (
    <section className={styles.section} aria-labelledby="members">
      <div className={styles.sectionHead}>
        <h2 id="members">{t('groups.members')}</h2>
        {group.manages ? (
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden="true" />}
            onClick={() => setAdding(true)}
          >
            {t('groups.putIn')}
          </Button>
        ) : null}
      </div>
      {group.people > 0 ? <SearchField label={t('groups.find')} value={text} onChange={setText} /> : null}
      <p role="status" className={styles.outcome}>
        {out === undefined ? null : (
          <>
            {t('groups.isOut', { name: out.name })}
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() =>
                change.mutate({ add: [{ who: out.id, role: out.role }] }, { onSuccess: () => setOut(undefined) })
              }
            >
              {t('people.undo')}
            </Button>
          </>
        )}
      </p>
      {change.error === null ? null : <ProblemNotice error={change.error} />}
      {items === undefined ? (
        members.error === null ? (
          <Loading lines={3} />
        ) : (
          <ProblemNotice error={members.error} onRetry={() => void members.refetch()} />
        )
      ) : items.length === 0 ? (
        <p className="soft">{t(q === '' ? 'groups.nobody' : 'groups.noneFound')}</p>
      ) : (
        <ul className={styles.list}>
          {items.map((member) => (
            <li key={member.id} className={styles.member}>
              <span className={styles.name}>
                {group.manages && member.role === 'member' ? (
                  <Link to="/usage/uses" search={{ course: group.id, person: member.id }}>
                    {member.name}
                  </Link>
                ) : (
                  member.name
                )}
              </span>
              <span className="soft">{member.email}</span>
              {group.manages && member.through === undefined ? (
                <>
                  <NativeSelect
                    size="xs"
                    aria-label={t('people.roleOf', { name: member.name })}
                    value={member.role}
                    data={groupRoles.map((role) => ({ value: role, label: t(`groups.mine.${role}`) }))}
                    onChange={(event) =>
                      change.mutate({
                        add: [{ who: member.id, role: event.currentTarget.value as GroupMember['role'] }],
                      })
                    }
                  />
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`${t('groups.takeOut')}: ${member.name}`}
                    onClick={() => takeOut(member)}
                  >
                    {t('groups.takeOut')}
                  </Button>
                </>
              ) : (
                <span className={styles.through}>
                  {member.through === undefined
                    ? t(`groups.mine.${member.role}`)
                    : t('groups.through', { group: member.through })}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={members}>{t('people.more')}</MoreButton>
      {adding ? <PutIn group={group} onClose={() => setAdding(false)} /> : null}
    </section>
  )
}

function PutIn({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useWords()
  const change = useChangeMembers(group)
  const [text, setText] = useState('')
  const [role, setRole] = useState<GroupMember['role']>('member')
  const unsaved = useUnsaved([text, role], onClose)
  const who = [...new Set(text.split(/[\s,;]+/).filter((word) => word !== ''))]
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (who.length > 0) change.mutate({ add: who.map((one) => ({ who: one, role })) }, { onSuccess: onClose })
  }
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      title={t('groups.putIn')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <Textarea
          label={t('groups.addresses')}
          description={t('groups.addressesHelp')}
          data-autofocus
          autosize
          minRows={4}
          maxRows={12}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            change.reset()
          }}
        />
        <NativeSelect
          label={t('groups.as')}
          value={role}
          data={groupRoles.map((one) => ({ value: one, label: t(`groups.mine.${one}`) }))}
          onChange={(event) => setRole(event.currentTarget.value as GroupMember['role'])}
        />
        {change.error === null ? null : <ProblemNotice error={change.error} />}
        <IssueList issues={change.error instanceof ApiProblem ? change.error.issues : []} />
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={change.isPending} disabled={who.length === 0}>
            {t('groups.putInCount', { count: who.length })}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}
