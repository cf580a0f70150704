import type { AuditFilter } from '@fernlab/shared/contracts/audit'
import { Button, TextInput } from '@mantine/core'
import { type ReactNode, useId, useState } from 'react'
import records from '../frame/records.module.css'
import { useForm } from '../sign-in/use-form.ts'
import { fromLocal, toLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'

interface Props {
  readonly search: AuditFilter
  readonly onFind: (search: AuditFilter) => void
  /** The way back to all entries. */
  readonly clear: ReactNode
}

/** Which entries are shown: by whom, what, to whom or what, and when; folded on a phone, where the entries come first. */
export function AuditFilters({ search, onFind, clear }: Props) {
  const { t } = useWords()
  const { person = '', action = '', subject = '', from, to } = search
  const form = useForm({ person, action, subject, from: toLocal(from), to: toLocal(to) }, () => ({}))
  const [open, setOpen] = useState(false)
  const id = useId()
  const count = Object.keys(search).length
  const send = (values: typeof form.values) => {
    const wanted = { ...values, from: fromLocal(values.from) ?? '', to: fromLocal(values.to) ?? '' }
    const given = Object.entries(wanted)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== '')
    onFind(Object.fromEntries(given))
  }
  return (
    <>
      <div className={records.fold}>
        <Button variant="default" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          {count === 0 ? t('audit.filter') : t('audit.filtered', { count })}
        </Button>
      </div>
      <form id={id} className={records.filters} data-open={open} noValidate onSubmit={form.onSubmit(send)}>
        <TextInput
          label={t('audit.person')}
          placeholder={t('audit.personHelp')}
          maxLength={254}
          {...form.field('person')}
        />
        <TextInput
          label={t('audit.action')}
          placeholder={t('audit.actionHelp')}
          maxLength={80}
          {...form.field('action')}
        />
        <TextInput
          label={t('audit.subject')}
          placeholder={t('audit.subjectHelp')}
          maxLength={254}
          {...form.field('subject')}
        />
        <TextInput type="datetime-local" label={t('audit.from')} {...form.field('from')} />
        <TextInput type="datetime-local" label={t('audit.to')} {...form.field('to')} />
        <div className={records.buttons}>
          <Button type="submit">{t('audit.find')}</Button>
          {clear}
        </div>
      </form>
    </>
  )
}
