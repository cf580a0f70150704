import type { PermissionTemplate } from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { useWords } from '../words/use-words.ts'
import { nameFor } from './template-name.ts'
import { inputsOf, TermsFields, termsOf } from './terms-fields.tsx'

interface Props {
  readonly known: readonly PermissionTemplate[]
  /** Changed, or copied. */
  readonly template?: PermissionTemplate
  readonly copy?: boolean
  readonly onClose: () => void
}

/** Makes a template, changes one, or makes another like it. */
export function TemplateDialog({ known, template, copy = false, onClose }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const isNew = template === undefined || copy
  const [title, setTitle] = useState(
    template === undefined ? '' : copy ? t('templates.copyOf', { title: template.title }) : template.title,
  )
  const [typed, setTyped] = useState<string>()
  const [inputs, setInputs] = useState(() => inputsOf(template?.gives ?? usualTerms))
  const unsaved = useUnsaved([title, typed ?? '', inputs], onClose)
  const { gives, wrong } = termsOf(inputs)
  const id = isNew ? (typed ?? nameFor(title)) : template.id
  const taken = isNew && known.some((one) => one.id === id)
  const save = useMutation({
    mutationFn: () => api.send('PUT', `/api/v1/permission-templates/${id}`, { title: title.trim(), gives }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['permission-templates'] })
      unsaved.kept()
      onClose()
    },
  })
  const whole = title.trim() !== '' && id !== '' && !taken && wrong.length === 0
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (whole) save.mutate()
  }
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      size="lg"
      title={t(isNew ? 'templates.make' : 'templates.change')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <TextInput
          label={t('templates.name')}
          data-autofocus
          maxLength={120}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        {isNew ? (
          <TextInput
            label={t('templates.id')}
            description={t('templates.idHelp')}
            maxLength={63}
            spellCheck={false}
            value={id}
            error={taken ? t('templates.taken') : undefined}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        ) : null}
        <TermsFields
          inputs={inputs}
          wrong={wrong}
          onChange={(term, input) => setInputs((before) => ({ ...before, [term]: input }))}
        />
        {isNew ? null : <p className="soft">{t('templates.stay')}</p>}
        {save.error === null ? null : <ProblemNotice error={save.error} />}
        <IssueList issues={save.error instanceof ApiProblem ? save.error.issues : []} />
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!whole}>
            {t(isNew ? 'templates.make' : 'common.save')}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}
