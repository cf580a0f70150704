import type { Run } from '@fernlab/shared/contracts/api'
import { Button, Modal } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

/** Asks before a run is stopped or leaves the queue. */
export default function CancelDialog({ run, onClosed }: { run: Run; onClosed: () => void }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [opened, setOpened] = useState(false)
  // Opened a moment after it is there: a modal gives the focus back to what had it when it opened.
  useEffect(() => setOpened(true), [])
  const close = () => setOpened(false)
  const cancel = useMutation({
    mutationFn: () => api.send<Run>('POST', `/api/v1/runs/${run.id}/cancel`),
    onSuccess: (next) => {
      if (next !== undefined) client.setQueryData(['runs', 'one', run.id], next)
      void client.invalidateQueries({ queryKey: ['runs'] })
      close()
    },
  })
  const queued = run.state === 'queued'
  return (
    <Modal
      opened={opened}
      onClose={close}
      onExitTransitionEnd={onClosed}
      title={queued ? t('runPage.cancelQueuedTitle') : t('runPage.cancelTitle')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className={dialog.content}>
        <p>{queued ? t('runPage.cancelQueuedText') : t('runPage.cancelText')}</p>
        {cancel.error === null ? null : <ProblemNotice error={cancel.error} />}
        <div className={dialog.buttons}>
          <Button variant="default" data-autofocus onClick={close}>
            {queued ? t('runPage.cancelQueuedKeep') : t('runPage.cancelKeep')}
          </Button>
          <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {queued ? t('runPage.cancelQueued') : t('runPage.cancel')}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
