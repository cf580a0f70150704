import type { createdTokenSchema, Me } from '@fernlab/shared/contracts/api'
import { Button, Checkbox, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { z } from 'zod'
import { useApi } from '../api/context.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './account.module.css'
import { scopeWords } from './scopes.ts'

type Created = z.infer<typeof createdTokenSchema>

const everybody = ['read', 'run', 'account'] as const
const ofStaff = ['mqtt:read', 'mqtt:status'] as const
const ends = [30, 90, 365] as const
const first = { scopes: ['read', 'run'] as readonly string[], days: '90' }

interface Props {
  readonly opened: boolean
  readonly role: Me['role'] | undefined
  readonly onClose: () => void
}

/** Asks for a name, what the token may do and when it ends; then shows the secret, once. */
export function NewToken({ opened, role, onClose }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState(first.scopes)
  const [days, setDays] = useState(first.days)
  const [sent, setSent] = useState(false)
  const offered = [
    ...everybody,
    ...(role === 'builder' || role === 'admin' || role === 'instructor' ? ofStaff : []),
    ...(role === 'builder' || role === 'admin' ? (['builder'] as const) : []),
    ...(role === 'admin' ? (['admin'] as const) : []),
  ]
  const create = useMutation({
    mutationFn: () =>
      api.send<Created>('POST', '/api/v1/tokens', {
        name: name.trim(),
        scopes: chosen,
        ...(days === '' ? {} : { expiresInDays: Number(days) }),
      }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['tokens'] }),
  })
  const close = () => {
    create.reset()
    setName('')
    setChosen(first.scopes)
    setDays(first.days)
    setSent(false)
    onClose()
  }
  const unsaved = useUnsaved(create.data === undefined ? [name, chosen, days] : ['', first.scopes, first.days], close)
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (name.trim() !== '' && chosen.length > 0) create.mutate()
  }
  return (
    <Modal
      opened={opened}
      onClose={unsaved.leave}
      size="lg"
      title={create.data === undefined ? t('account.create') : t('account.secretTitle')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {create.data === undefined ? (
        <form className={dialog.content} onSubmit={send} noValidate>
          <TextInput
            label={t('account.name')}
            placeholder={t('account.namePlaceholder')}
            value={name}
            data-autofocus
            maxLength={80}
            error={sent && name.trim() === '' ? t('field.required') : undefined}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Checkbox.Group
            label={t('account.scopes')}
            value={[...chosen]}
            error={sent && chosen.length === 0 ? t('field.choice') : undefined}
            onChange={setChosen}
          >
            <div className={styles.choices}>
              {offered.map((scope) => (
                <Checkbox key={scope} value={scope} label={t(`account.scope.${scopeWords[scope]}`)} />
              ))}
            </div>
          </Checkbox.Group>
          <NativeSelect
            label={t('account.expires')}
            value={days}
            data={[
              ...ends.map((count) => ({ value: String(count), label: t('account.days', { count }) })),
              { value: '', label: t('account.noEnd') },
            ]}
            onChange={(event) => setDays(event.currentTarget.value)}
          />
          {create.error === null ? null : <ProblemNotice error={create.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('account.create')}
            </Button>
          </div>
        </form>
      ) : (
        <div className={dialog.content}>
          <p>{t('account.secretText')}</p>
          <CopyLine value={create.data.token} label={t('account.secretTitle')} />
          <div className={dialog.buttons}>
            <Button onClick={close}>{t('common.done')}</Button>
          </div>
        </div>
      )}
      {unsaved.question}
    </Modal>
  )
}
