import type { ChangePermission, CreatePermission, Permission, Subject } from '@fernlab/shared/contracts/permissions'
import { subjectKinds, usualTerms } from '@fernlab/shared/contracts/terms'
import { Button, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { GroupSelect } from '../groups/group-select.tsx'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { allRoles } from '../people/roles.ts'
import { fromLocal, toLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import { templatesQuery } from './permission-queries.ts'
import { inputsOf, TermsFields, termsOf } from './terms-fields.tsx'

interface Props {
  /** Changed, or copied. */
  readonly permission?: Permission | undefined
  readonly copy?: boolean
  readonly onClose: () => void
}

/** Gives a permission, changes one, or gives the same to somebody else. */
export function PermissionDialog({ permission, copy = false, onClose }: Props) {
  const { t, text } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const labs = useQuery(labsQuery(api))
  const templates = useQuery(templatesQuery(api))
  const [values, setValues] = useState({
    kind: permission?.subject.kind ?? ('group' as Subject['kind']),
    role: permission?.subject.kind === 'role' ? permission.subject.id : 'student',
    group: permission?.subject.kind === 'group' ? permission.subject.id : '',
    person: permission?.subject.kind === 'person' ? permission.subject.id : '',
    lab: permission?.lab ?? '',
    protocols: permission?.protocols?.join(' ') ?? '',
    from: toLocal(permission?.from),
    until: toLocal(permission?.until),
    note: permission?.note ?? '',
  })
  const [inputs, setInputs] = useState(() => inputsOf(permission?.gives ?? usualTerms))
  const unsaved = useUnsaved([values, inputs], onClose)
  const set = (more: Partial<typeof values>) => {
    setValues((before) => ({ ...before, ...more }))
    save.reset()
  }
  const { gives, wrong } = termsOf(inputs)
  const subject = (
    values.kind === 'everyone' ? { kind: 'everyone' } : { kind: values.kind, id: values[values.kind].trim() }
  ) as Subject
  const whole = wrong.length === 0 && (subject.kind === 'everyone' || subject.id !== '')
  const save = useMutation({
    mutationFn: () => {
      const named = values.protocols.split(/[\s,]+/).filter((name) => name !== '')
      const where = {
        subject,
        lab: values.lab === '' ? null : values.lab,
        protocols: named.length === 0 ? null : named,
        gives,
      }
      const [from, until, note] = [fromLocal(values.from), fromLocal(values.until), values.note.trim()]
      if (permission === undefined) {
        const body: CreatePermission = {
          ...where,
          ...(from === undefined ? {} : { from }),
          ...(until === undefined ? {} : { until }),
          ...(note === '' ? {} : { note }),
        }
        return api.send('POST', '/api/v1/permissions', body)
      }
      const body: ChangePermission = {
        ...where,
        from: from ?? null,
        until: until ?? null,
        note: note === '' ? null : note,
      }
      const path = `/api/v1/permissions/${permission.id}`
      return copy ? api.send('POST', `${path}/copy`, body) : api.send('PUT', path, body)
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['permissions'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      unsaved.kept()
      onClose()
    },
  })
  const issues = save.error instanceof ApiProblem ? save.error.issues : []
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (whole) save.mutate()
  }
  const title = permission === undefined ? 'give' : copy ? 'copy' : 'change'
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      size="lg"
      title={t(`permissions.${title}`)}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <NativeSelect
          label={t('permissions.to')}
          data-autofocus
          value={values.kind}
          data={subjectKinds.map((kind) => ({ value: kind, label: t(`permissions.kinds.${kind}`) }))}
          onChange={(event) => set({ kind: event.currentTarget.value as Subject['kind'] })}
        />
        {values.kind === 'role' ? (
          <NativeSelect
            label={t('account.role')}
            value={values.role}
            data={allRoles
              .filter((role) => role !== 'guest' && role !== 'admin')
              .map((role) => ({ value: role, label: t(`account.roles.${role}`) }))}
            onChange={(event) => set({ role: event.currentTarget.value as typeof values.role })}
          />
        ) : null}
        {values.kind === 'group' ? (
          <GroupSelect
            label={t('permissions.kinds.group')}
            none={t('permissions.choose')}
            value={values.group}
            onChange={(event) => set({ group: event.currentTarget.value })}
          />
        ) : null}
        {values.kind === 'person' ? (
          <TextInput
            label={t('permissions.person')}
            value={values.person}
            onChange={(event) => set({ person: event.currentTarget.value })}
          />
        ) : null}
        <NativeSelect
          label={t('permissions.lab')}
          value={values.lab}
          data={[
            { value: '', label: t('permissions.everyLab') },
            ...(labs.data?.items ?? []).map((lab) => ({ value: lab.id, label: text(lab.title) })),
          ]}
          onChange={(event) => set({ lab: event.currentTarget.value, protocols: '' })}
        />
        <TextInput
          label={t('permissions.protocols')}
          description={t('permissions.protocolsHelp')}
          value={values.protocols}
          onChange={(event) => set({ protocols: event.currentTarget.value })}
        />
        {permission === undefined ? (
          <NativeSelect
            label={t('permissions.template')}
            defaultValue=""
            data={[
              { value: '', label: t('permissions.usual') },
              ...(templates.data?.items ?? []).map((one) => ({ value: one.id, label: one.title })),
            ]}
            onChange={(event) => {
              const chosen = templates.data?.items.find(({ id }) => id === event.currentTarget.value)
              setInputs(inputsOf(chosen?.gives ?? usualTerms))
            }}
          />
        ) : null}
        <TermsFields
          inputs={inputs}
          wrong={wrong}
          onChange={(term, input) => setInputs((before) => ({ ...before, [term]: input }))}
        />
        <TextInput
          type="datetime-local"
          label={t('permissions.from')}
          value={values.from}
          onChange={(event) => set({ from: event.currentTarget.value })}
        />
        <TextInput
          type="datetime-local"
          label={t('permissions.until')}
          value={values.until}
          onChange={(event) => set({ until: event.currentTarget.value })}
        />
        <TextInput
          label={t('permissions.note')}
          maxLength={200}
          value={values.note}
          onChange={(event) => set({ note: event.currentTarget.value })}
        />
        {save.error === null ? null : <ProblemNotice error={save.error} />}
        <IssueList issues={issues} />
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!whole}>
            {t(permission === undefined || copy ? 'permissions.give' : 'common.save')}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}
