import type { BulkDone, Permission, Term } from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import { Button, Modal } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './permissions.module.css'
import { subjectText, termValue } from './term-words.ts'
import { inputsOf, OneTerm, termsOf } from './terms-fields.tsx'

/** One change to many permissions: first a look at what it would be, then it is done. */
export function BulkDialog({ chosen, onClose }: { chosen: readonly Permission[]; onClose: () => void }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const [term, setTerm] = useState<Term>('dayS')
  const [inputs, setInputs] = useState(() => inputsOf(chosen[0]?.gives ?? usualTerms))
  const unsaved = useUnsaved(inputs, onClose)
  const { gives, wrong } = termsOf({ [term]: inputs[term] })
  const call = (preview: boolean) =>
    api.send<BulkDone>('POST', '/api/v1/permissions/bulk', {
      ids: chosen.map(({ id }) => id),
      change: { gives },
      preview,
    })
  const look = useMutation({ mutationFn: () => call(true) })
  const make = useMutation({
    mutationFn: () => call(false),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['permissions'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      unsaved.kept()
      onClose()
    },
  })
  const error = make.error ?? look.error
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      title={t('permissions.changeMany', { count: chosen.length })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className={dialog.content}>
        <OneTerm
          term={term}
          inputs={inputs}
          wrong={wrong}
          onTerm={(next) => {
            setTerm(next)
            look.reset()
          }}
          onChange={(one, input) => {
            setInputs((before) => ({ ...before, [one]: input }))
            look.reset()
          }}
        />
        {error === null ? null : <ProblemNotice error={error} />}
        {look.data === undefined ? null : (
          <ul className={styles.changes} role="status">
            {look.data.items.map(({ before, after }) => (
              <li key={before.id}>
                {t('permissions.wouldBe', {
                  whom: subjectText(before, words),
                  lab: before.lab ?? t('permissions.everyLab'),
                  before: termValue(term, before.gives, words),
                  after: after === null ? '' : termValue(term, after.gives, words),
                })}
              </li>
            ))}
          </ul>
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          {look.data === undefined ? (
            <Button loading={look.isPending} disabled={wrong.length > 0} onClick={() => look.mutate()}>
              {t('permissions.look')}
            </Button>
          ) : (
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              {t('permissions.changeMany', { count: chosen.length })}
            </Button>
          )}
        </div>
      </div>
      {unsaved.question}
    </Modal>
  )
}
