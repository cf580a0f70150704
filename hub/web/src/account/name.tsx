import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { rename } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import styles from './account.module.css'

/** My name, and the way to change it in place. */
export function Name({ name }: { name: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const [text, setText] = useState<string>()
  const [edited, setEdited] = useState(false)
  useUnsaved(text === name ? '' : (text ?? ''))
  const save = useMutation({
    mutationFn: (to: string) => rename(api, to),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['me'] })
      setText(undefined)
    },
  })
  if (text === undefined) {
    return (
      <span className={styles.name}>
        {name}
        <ActionIcon
          variant="subtle"
          size="sm"
          aria-label={t('account.changeName')}
          // The keyboard comes back to where it left.
          autoFocus={edited}
          onClick={() => {
            save.reset()
            setEdited(true)
            setText(name)
          }}
        >
          <IconPencil size={16} aria-hidden="true" />
        </ActionIcon>
      </span>
    )
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (text.trim() !== '') save.mutate(text)
  }
  return (
    <form className={styles.nameForm} onSubmit={send} noValidate>
      <TextInput
        size="xs"
        aria-label={t('account.newName')}
        autoFocus
        autoComplete="name"
        maxLength={120}
        value={text}
        error={text.trim() === '' ? t('auth.nameMissing') : undefined}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setText(undefined)
        }}
      />
      <Button size="xs" type="submit" loading={save.isPending}>
        {t('account.saveName')}
      </Button>
      <Button size="xs" variant="default" onClick={() => setText(undefined)}>
        {t('common.cancel')}
      </Button>
      {save.error === null ? null : <ProblemNotice error={save.error} />}
    </form>
  )
}
