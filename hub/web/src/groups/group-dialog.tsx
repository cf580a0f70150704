import type { ChangeGroup, CreateGroup, Group } from '@fernlab/shared/contracts/groups'
import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Refusal } from '../notices/refusal.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { fromLocal, toLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import { groupsQuery } from './group-queries.ts'
import { GroupSelect } from './group-select.tsx'
import { asTree, idOf } from './group-tree.ts'

/** Makes a group, or changes the one that is given. */
export function GroupDialog({ group, onClose }: { group?: Group; onClose: () => void }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const groups = useQuery(groupsQuery(api))
  const [values, setValues] = useState({
    name: group?.name ?? '',
    id: group?.id ?? '',
    within: group?.within ?? '',
    course: group?.kind === 'course',
    from: toLocal(group?.from),
    until: toLocal(group?.until),
  })
  const unsaved = useUnsaved(values, onClose)
  const id = group?.id ?? (values.id === '' ? idOf(values.name) : values.id)
  const set = (more: Partial<typeof values>) => {
    setValues((before) => ({ ...before, ...more }))
    save.reset()
  }
  const save = useMutation({
    mutationFn: () => {
      const { name, within, course } = values
      const kind = course ? ('course' as const) : ('group' as const)
      const [from, until] = course ? [fromLocal(values.from), fromLocal(values.until)] : []
      if (group !== undefined) {
        const change: ChangeGroup = { name, kind, from: from ?? null, until: until ?? null }
        const move = within === (group.within ?? '') ? {} : { within: within === '' ? null : within }
        return api.send<Group>('PUT', `/api/v1/groups/${group.id}`, { ...change, ...move })
      }
      const body: CreateGroup = {
        id,
        name,
        kind,
        ...(within === '' ? {} : { within }),
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
      }
      return api.send<Group>('POST', '/api/v1/groups', body)
    },
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ['groups'] })
      unsaved.kept()
      onClose()
      if (group === undefined) await navigate({ to: '/people/groups/$groupId', params: { groupId: saved.id } })
    },
  })
  const issue = (path: string) => {
    const found = save.error instanceof ApiProblem ? save.error.issues.find((one) => one.path === path) : undefined
    return found === undefined ? undefined : <Refusal text={found.message} />
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (values.name.trim() !== '') save.mutate()
  }
  // Itself and what lies within it can not be around it.
  const tree = asTree(groups.data ?? [])
  const start = tree.findIndex((one) => one.group.id === group?.id)
  const after = start < 0 ? [] : tree.slice(start + 1)
  const end = after.findIndex((one) => one.depth <= (tree[start]?.depth ?? 0))
  const own = start < 0 ? [] : [tree[start], ...(end < 0 ? after : after.slice(0, end))]
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      title={t(group === undefined ? 'groups.make' : 'groups.change')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <TextInput
          label={t('groups.name')}
          data-autofocus
          maxLength={120}
          value={values.name}
          error={issue('name')}
          onChange={(event) => set({ name: event.currentTarget.value })}
        />
        {group === undefined ? (
          <TextInput
            label={t('groups.id')}
            description={t('groups.idHelp')}
            maxLength={63}
            value={id}
            error={issue('id')}
            onChange={(event) => set({ id: event.currentTarget.value.toLowerCase() })}
          />
        ) : null}
        <GroupSelect
          label={t('groups.within')}
          description={t('groups.withinHelp')}
          none={t('groups.withinNone')}
          managed
          without={new Set(own.map((one) => one?.group.id ?? ''))}
          value={values.within}
          error={issue('within')}
          onChange={(event) => set({ within: event.currentTarget.value })}
        />
        <Checkbox
          label={t('groups.isCourse')}
          description={t('groups.isCourseHelp')}
          checked={values.course}
          onChange={(event) => set({ course: event.currentTarget.checked })}
        />
        {values.course ? (
          <>
            <TextInput
              type="datetime-local"
              label={t('groups.from')}
              value={values.from}
              error={issue('from')}
              onChange={(event) => set({ from: event.currentTarget.value })}
            />
            <TextInput
              type="datetime-local"
              label={t('groups.until')}
              value={values.until}
              error={issue('until')}
              onChange={(event) => set({ until: event.currentTarget.value })}
            />
          </>
        ) : null}
        {save.error === null ? null : <ProblemNotice error={save.error} />}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={values.name.trim() === ''}>
            {t(group === undefined ? 'groups.make' : 'common.save')}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}
