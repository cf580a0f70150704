import type { enrollmentCodeSchema } from '@fernlab/shared/contracts/api'
import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { z } from 'zod'
import { useApi } from '../api/context.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './nodes.module.css'

type Code = z.infer<typeof enrollmentCodeSchema>

/** Asks for a name, then shows the one-time code once, with the command to type on the node. */
export function EnrolDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t, absolute } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [bad, setBad] = useState(false)
  const enrol = useMutation({
    mutationFn: () => api.send<Code>('POST', '/api/v1/nodes', { node: name }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['nodes'] }),
  })
  const close = () => {
    enrol.reset()
    setName('')
    setBad(false)
    onClose()
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    const good = /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)
    setBad(!good)
    if (good) enrol.mutate()
  }
  return (
    <Modal
      opened={opened}
      onClose={close}
      size="lg"
      title={enrol.data === undefined ? t('nodes.enrol') : t('nodes.codeTitle', { node: enrol.data.node })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {enrol.data === undefined ? (
        <form className={dialog.content} onSubmit={send} noValidate>
          <p>{t('nodes.enrolText')}</p>
          <TextInput
            label={t('nodes.name')}
            description={t('nodes.nameHelp')}
            error={bad ? t('nodes.nameHelp') : undefined}
            value={name}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {enrol.error === null ? null : <ProblemNotice error={enrol.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" onClick={close}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={enrol.isPending}>
              {t('nodes.getCode')}
            </Button>
          </div>
        </form>
      ) : (
        <div className={dialog.content}>
          <p>{t('nodes.codeText', { time: absolute(enrol.data.expiresAt) })}</p>
          <CopyLine value={command(enrol.data)} label={t('common.command')} />
          <p className="soft">
            {t('nodes.codeBroker')} <code className={styles.code}>{hubEntry(enrol.data)}</code>
          </p>
          <p className="soft">
            {t('nodes.code')}: <code className={styles.code}>{enrol.data.code}</code>
          </p>
          <div className={dialog.buttons}>
            <Button onClick={close}>{t('common.done')}</Button>
          </div>
        </div>
      )}
    </Modal>
  )
}

const command = (code: Code): string =>
  `npm run edge -- --config node.yaml --hub ${location.origin} --enroll ${code.code}`

const hubEntry = (code: Code): string => `hub: { url: ${code.mqtt[0]} }`
