import type { createdInvitationSchema, Me } from '@fernlab/shared/contracts/api'
import { Button, Checkbox, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type * as z from 'zod'
import { useApi } from '../api/context.tsx'
import { GroupSelect } from '../groups/group-select.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import { invitable } from './roles.ts'

type Created = z.infer<typeof createdInvitationSchema>

const ends = [1, 7, 14, 30, 180] as const
const first = { role: 'student', most: '30', days: '14', note: '', group: '' }

interface Props {
  readonly opened: boolean
  readonly role: Me['role'] | undefined
  readonly onClose: () => void
}

/** Asks whom to invite, then shows the link, once. */
export function InviteDialog({ opened, role, onClose }: Props) {
  const { t, absolute } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [values, setValues] = useState(first)
  const [sent, setSent] = useState(false)
  const [onlyMembers, setOnlyMembers] = useState(false)
  const most = Number(values.most)
  const good = Number.isInteger(most) && most >= 1 && most <= 1000
  const make = useMutation({
    mutationFn: () =>
      api.send<Created>('POST', '/api/v1/invitations', {
        role: values.role,
        most,
        expiresInDays: Number(values.days),
        ...(values.group === '' ? {} : { group: values.group, register: !onlyMembers }),
        ...(values.note.trim() === '' ? {} : { note: values.note.trim() }),
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['invitations'] }),
  })
  const set = (name: keyof typeof first) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget
    setValues((before) => ({ ...before, [name]: value }))
  }
  const close = () => {
    make.reset()
    setValues(first)
    setSent(false)
    setOnlyMembers(false)
    onClose()
  }
  const unsaved = useUnsaved(make.data === undefined ? [values, onlyMembers] : [first, false], close)
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (good) make.mutate()
  }
  return (
    <Modal
      opened={opened}
      onClose={unsaved.leave}
      size="lg"
      title={make.data === undefined ? t('people.invite') : t('people.linkTitle')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {make.data === undefined ? (
        <form className={dialog.content} onSubmit={send} noValidate>
          <p>{t('people.inviteText')}</p>
          <NativeSelect
            label={t('people.as')}
            value={values.role}
            data={invitable(role).map((to) => ({ value: to, label: t(`account.roles.${to}`) }))}
            onChange={set('role')}
          />
          <GroupSelect
            label={t('groups.into')}
            none={t('groups.intoNone')}
            managed
            value={values.group}
            onChange={set('group')}
          />
          {values.group === '' ? null : (
            <Checkbox
              label={t('groups.onlyMembers')}
              checked={onlyMembers}
              onChange={(event) => setOnlyMembers(event.currentTarget.checked)}
            />
          )}
          <TextInput
            label={t('people.most')}
            inputMode="numeric"
            value={values.most}
            error={sent && !good ? t('people.mostBad') : undefined}
            onChange={set('most')}
          />
          <NativeSelect
            label={t('people.ends')}
            value={values.days}
            data={ends.map((count) => ({ value: String(count), label: t('account.days', { count }) }))}
            onChange={set('days')}
          />
          <TextInput
            label={t('people.note')}
            description={t('people.noteHelp')}
            placeholder={t('people.notePlaceholder')}
            maxLength={120}
            value={values.note}
            onChange={set('note')}
          />
          {make.error === null ? null : <ProblemNotice error={make.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={make.isPending}>
              {t('people.make')}
            </Button>
          </div>
        </form>
      ) : (
        <div className={dialog.content}>
          <p>{t('people.linkText', { count: make.data.most, time: absolute(make.data.expiresAt) })}</p>
          <CopyLine value={make.data.link} label={t('people.link')} />
          <div className={dialog.buttons}>
            <Button onClick={close}>{t('common.done')}</Button>
          </div>
        </div>
      )}
      {unsaved.question}
    </Modal>
  )
}
