import type { LabDetail } from '@fernlab/shared/contracts/api'
import type { ChangeRecurring, CreateRecurring, Recurring } from '@fernlab/shared/contracts/recurring'
import { Button, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { labQuery } from '../api/queries.ts'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { fromLocal, toLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import styles from './recurring.module.css'
import { cronOf, nightly, whenOf } from './when.ts'
import { WhenFields, type WhenValues } from './when-fields.tsx'

/** The contract's own lists come with its schemas, which the page does not load. */
const overlaps: readonly Recurring['overlap'][] = ['skip', 'queue']
const misses: readonly Recurring['missed'][] = ['once', 'skip']

type MadeAnew = Pick<CreateRecurring, 'lab' | 'protocol' | 'parameters' | 'bench'>

/** What is to recur: a run that is made anew, or one that recurs already and is changed. */
export type Repeated = { readonly run: MadeAnew } | { readonly recurring: Recurring }

interface Values extends WhenValues {
  readonly name: string
  readonly overlap: Recurring['overlap']
  readonly missed: Recurring['missed']
  /** Empty for any. */
  readonly bench: string
  /** As it is typed; empty for what its owner may. */
  readonly priority: string
}

interface Props {
  readonly repeated: Repeated
  readonly title: string
  readonly onClose: () => void
}

/** Asks when a run is to be made anew, and leads to what was made. */
export default function RepeatDialog({ repeated, title, onClose }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [values, setValues] = useState(() => first(repeated, title))
  const unsaved = useUnsaved(values, onClose)
  const [key, setKey] = useState(idempotencyKey)
  const [sent, setSent] = useState(false)
  const before = 'recurring' in repeated ? repeated.recurring : undefined
  const save = useMutation({
    mutationFn: () => {
      const headers = { 'idempotency-key': key }
      return 'run' in repeated
        ? api.send<Recurring>('POST', '/api/v1/recurring', created(repeated.run, values), headers)
        : api.send<Recurring>('PUT', `/api/v1/recurring/${repeated.recurring.id}`, changed(values), headers)
    },
    onSuccess: (made) => {
      client.setQueryData(['recurring', 'one', made.id], made)
      void client.invalidateQueries({ queryKey: ['recurring', 'list'] })
      unsaved.kept()
      onClose()
      if (before === undefined) void navigate({ to: '/recurring/$recurringId', params: { recurringId: made.id } })
    },
    // What the hub may have taken without an answer must not be made twice.
    onError: (error) => error instanceof ApiProblem && error.code !== 'network' && setKey(idempotencyKey()),
  })
  const put = (change: Partial<Values>) => {
    setValues((known) => ({ ...known, ...change }))
    if (save.error !== null) save.reset()
  }
  const named = values.name.trim() !== ''
  const ranked = values.priority.trim() === '' || isPriority(values.priority)
  const lab = useQuery({
    ...labQuery(api, 'run' in repeated ? repeated.run.lab : repeated.recurring.lab),
    refetchInterval: false,
  })
  const benches = benchChoices(lab.data, values.bench)
  const send = (event: FormEvent) => {
    event.preventDefault()
    // The dialog may belong to a part of another form, which would be sent as well.
    event.stopPropagation()
    setSent(true)
    if (named && ranked) save.mutate()
  }
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      size="lg"
      title={t(before === undefined ? 'recurring.make' : 'recurring.change')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        {before === undefined ? <p>{t('recurring.text')}</p> : null}
        <TextInput
          label={t('recurring.name')}
          maxLength={80}
          value={values.name}
          error={sent && !named ? t('field.required') : undefined}
          data-autofocus
          onChange={(event) => put({ name: event.currentTarget.value })}
        />
        <WhenFields values={values} put={put} />
        <div className={styles.span}>
          <NativeSelect
            label={t('recurring.overlap')}
            value={values.overlap}
            data={overlaps.map((value) => ({ value, label: t(`recurring.overlaps.${value}`) }))}
            onChange={(event) => put({ overlap: event.currentTarget.value as Values['overlap'] })}
          />
          <NativeSelect
            label={t('recurring.missed')}
            value={values.missed}
            data={misses.map((value) => ({ value, label: t(`recurring.misses.${value}`) }))}
            onChange={(event) => put({ missed: event.currentTarget.value as Values['missed'] })}
          />
        </div>
        <div className={styles.span}>
          <NativeSelect
            label={t('recurring.bench')}
            value={values.bench}
            data={[{ value: '', label: t('recurring.anyBench') }, ...benches]}
            onChange={(event) => put({ bench: event.currentTarget.value })}
          />
          <TextInput
            label={t('recurring.priority')}
            inputMode="numeric"
            placeholder={t('recurring.priorityUsual')}
            value={values.priority}
            error={ranked ? undefined : t('recurring.priorityWrong')}
            onChange={(event) => put({ priority: event.currentTarget.value })}
          />
        </div>
        {save.error === null ? null : <ProblemNotice error={save.error} />}
        <IssueList issues={save.error instanceof ApiProblem ? save.error.issues : []} />
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t(before === undefined ? 'recurring.save' : 'common.save')}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}

const isPriority = (text: string): boolean => /^\d{1,3}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 100

/** The benches of the lab, and the one that is asked for though it serves the lab no more. */
function benchChoices(lab: LabDetail | undefined, asked: string) {
  const choices = (lab?.benches ?? []).map(({ id, title }) => ({ value: id, label: title ?? id }))
  return asked === '' || choices.some(({ value }) => value === asked)
    ? choices
    : [...choices, { value: asked, label: asked }]
}

function first(repeated: Repeated, title: string): Values {
  if ('run' in repeated) {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
    const open = { from: '', until: '', bench: repeated.run.bench ?? '', priority: '' }
    return { ...nightly, ...open, name: title, timeZone, overlap: 'skip', missed: 'once' }
  }
  const { name, cron, timeZone, from, until, overlap, missed, bench = '', priority } = repeated.recurring
  const times = { from: toLocal(from), until: toLocal(until) }
  return { ...whenOf(cron), ...times, name, timeZone, overlap, missed, bench, priority: String(priority ?? '') }
}

const said = ({ name, timeZone, overlap, missed, ...when }: Values) => ({
  name: name.trim(),
  cron: cronOf(when),
  timeZone,
  overlap,
  missed,
})
const priorityIn = ({ priority }: Values) => (priority.trim() === '' ? undefined : Number(priority))

function created({ lab, protocol, parameters }: MadeAnew, values: Values): CreateRecurring {
  const [from, until, priority] = [fromLocal(values.from), fromLocal(values.until), priorityIn(values)]
  return {
    lab,
    protocol,
    parameters,
    ...said(values),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(values.bench === '' ? {} : { bench: values.bench }),
    ...(priority === undefined ? {} : { priority }),
  }
}

const changed = (values: Values): ChangeRecurring => ({
  ...said(values),
  from: fromLocal(values.from) ?? null,
  until: fromLocal(values.until) ?? null,
  bench: values.bench === '' ? null : values.bench,
  priority: priorityIn(values) ?? null,
})
