import type { AppliedTemplate, ApplyTemplate, PermissionTemplate, Subject } from '@fernlab/shared/contracts/permissions'
import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { groupsQuery } from '../groups/group-queries.ts'
import { asTree } from '../groups/group-tree.ts'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { fromLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import { Choices } from './choices.tsx'
import styles from './permissions.module.css'
import { subjectText } from './term-words.ts'

interface Props {
  readonly template: PermissionTemplate
  readonly onClose: () => void
  /** Called with how many permissions were given. */
  readonly onGiven: (count: number) => void
}

const roles = ['student', 'builder', 'instructor'] as const
const everyLab = ''

/** Gives a template's terms to many in many labs: first a look at what that would be, then it is done. */
export function ApplyDialog({ template, onClose, onGiven }: Props) {
  const words = useWords()
  const { t, text } = words
  const api = useApi()
  const client = useQueryClient()
  const groups = useQuery(groupsQuery(api))
  const labs = useQuery(labsQuery(api))
  const [whom, setWhom] = useState<ReadonlySet<string>>(new Set())
  const [where, setWhere] = useState<ReadonlySet<string>>(new Set([everyLab]))
  const [times, setTimes] = useState({ from: '', until: '', note: '' })
  const unsaved = useUnsaved([[...whom], [...where], times], onClose)
  const call = (preview: boolean) => {
    const [from, until, note] = [fromLocal(times.from), fromLocal(times.until), times.note.trim()]
    const body: ApplyTemplate = {
      subjects: [...whom].map(subjectOf),
      labs: [...where].map((lab) => (lab === everyLab ? null : lab)),
      ...(from === undefined ? {} : { from }),
      ...(until === undefined ? {} : { until }),
      ...(note === '' ? {} : { note }),
      preview,
    }
    return api.send<AppliedTemplate>('POST', `/api/v1/permission-templates/${template.id}/apply`, body)
  }
  const look = useMutation({ mutationFn: () => call(true) })
  const give = useMutation({
    mutationFn: () => call(false),
    onSuccess: async ({ items }) => {
      await client.invalidateQueries({ queryKey: ['permissions'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      onGiven(items.length)
      unsaved.kept()
      onClose()
    },
  })
  const change = <Value,>(set: (value: Value) => void) => {
    return (value: Value) => {
      set(value)
      look.reset()
      give.reset()
    }
  }
  const put = change(setTimes)
  const error = give.error ?? look.error
  const seen = look.data
  const nobody = whom.size === 0 || where.size === 0
  const labTitle = (id: string | null) => {
    if (id === null) return t('permissions.everyLab')
    const lab = labs.data?.items.find((one) => one.id === id)
    return lab === undefined ? id : text(lab.title)
  }
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      size="lg"
      title={t('templates.applyTitle', { title: template.title })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className={dialog.content}>
        <Choices
          label={t('permissions.to')}
          chosen={whom}
          onChange={change(setWhom)}
          choices={[
            ...asTree(groups.data ?? []).map(({ group, depth }) => ({
              value: `group:${group.id}`,
              label: group.name,
              depth,
            })),
            ...roles.map((role) => ({
              value: `role:${role}`,
              label: t('permissions.roleOf', { role: t(`account.roles.${role}`) }),
            })),
            { value: 'everyone:', label: t('permissions.everyone') },
          ]}
        />
        <Choices
          label={t('permissions.lab')}
          chosen={where}
          alone={everyLab}
          onChange={change(setWhere)}
          choices={[
            { value: everyLab, label: t('permissions.everyLab') },
            ...(labs.data?.items ?? []).map((lab) => ({ value: lab.id, label: text(lab.title) })),
          ]}
        />
        <div className={styles.numbers}>
          <TextInput
            type="datetime-local"
            label={t('permissions.from')}
            value={times.from}
            onChange={(event) => put({ ...times, from: event.currentTarget.value })}
          />
          <TextInput
            type="datetime-local"
            label={t('permissions.until')}
            value={times.until}
            onChange={(event) => put({ ...times, until: event.currentTarget.value })}
          />
        </div>
        <TextInput
          label={t('permissions.note')}
          maxLength={200}
          value={times.note}
          onChange={(event) => put({ ...times, note: event.currentTarget.value })}
        />
        {error === null ? null : <ProblemNotice error={error} />}
        <IssueList issues={error instanceof ApiProblem ? error.issues : []} />
        {seen === undefined ? null : (
          <div role="status">
            {seen.items.length === 0 ? null : (
              <ul className={styles.changes}>
                {seen.items.map((one) => (
                  <li key={`${JSON.stringify(one.subject)} ${one.lab}`}>{`${nameOf(one)} · ${labTitle(one.lab)}`}</li>
                ))}
              </ul>
            )}
            {seen.already === 0 ? null : <p className="soft">{t('templates.already', { count: seen.already })}</p>}
          </div>
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          {seen === undefined ? (
            <Button loading={look.isPending} disabled={nobody} onClick={() => look.mutate()}>
              {t('permissions.look')}
            </Button>
          ) : (
            <Button loading={give.isPending} disabled={seen.items.length === 0} onClick={() => give.mutate()}>
              {t('templates.give', { count: seen.items.length })}
            </Button>
          )}
        </div>
      </div>
      {unsaved.question}
    </Modal>
  )

  function nameOf({ subject, subjectName }: AppliedTemplate['items'][number]): string {
    const group = subject.kind === 'group' ? groups.data?.find(({ id }) => id === subject.id)?.name : undefined
    const name = subjectName ?? group
    return subjectText({ subject, ...(name === undefined ? {} : { subjectName: name }) }, words)
  }
}

function subjectOf(value: string): Subject {
  const [kind = '', id = ''] = value.split(':')
  return (kind === 'everyone' ? { kind } : { kind, id }) as Subject
}
