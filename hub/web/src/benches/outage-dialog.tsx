import type { Bench } from '@fernlab/shared/contracts/api'
import type { Outage, PlanOutage, Weekday } from '@fernlab/shared/contracts/bench-care'
import { Button, Checkbox, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/context.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { fromLocal } from '../words/local-time.ts'
import { useWords } from '../words/use-words.ts'
import styles from './outages.module.css'
import { dayNames, days } from './weekdays.ts'

interface Props {
  readonly benches: readonly Pick<Bench, 'id' | 'title' | 'name'>[]
  readonly opened: boolean
  readonly onClose: () => void
  readonly onPlanned: (made: readonly Outage[]) => void
}

type When = 'now' | 'later' | 'weekly'

interface Values {
  readonly when: When
  readonly reason: string
  /** As a `datetime-local` field has it. */
  readonly from: string
  readonly until: string
  readonly days: readonly Weekday[]
  readonly hourFrom: string
  readonly hourUntil: string
  readonly atOnce: boolean
}

const first: Values = {
  when: 'now',
  reason: '',
  from: '',
  until: '',
  days: ['sat', 'sun'],
  hourFrom: '00:00',
  hourUntil: '00:00',
  atOnce: false,
}

/** Asks why and when benches are to be kept from runs. */
export function OutageDialog({ benches, opened, onClose, onPlanned }: Props) {
  const { t, language } = useWords()
  const api = useApi()
  const [values, setValues] = useState(first)
  const [sent, setSent] = useState(false)
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const bad = sent ? badFields(values) : {}
  const plan = useMutation({
    mutationFn: () =>
      api.send<{ items: Outage[] }>('POST', '/api/v1/outages', {
        benches: benches.map(({ id }) => id),
        ...bodyOf(values, zone),
      }),
    onSuccess: ({ items }) => {
      onPlanned(items)
      close()
    },
  })
  const close = () => {
    plan.reset()
    setValues(first)
    setSent(false)
    onClose()
  }
  const put = (change: Partial<Values>) => setValues((before) => ({ ...before, ...change }))
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (Object.keys(badFields(values)).length === 0) plan.mutate()
  }
  const names = dayNames(language, 'long')
  return (
    <Modal
      opened={opened}
      onClose={close}
      size="lg"
      title={t('benches.outPlan')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <p>{t('benches.outText')}</p>
        {benches.length > 1 ? (
          <p>{t('benches.outFor', { benches: benches.map(({ title, name }) => title ?? name).join(', ') })}</p>
        ) : null}
        <TextInput
          label={t('benches.outReason')}
          description={t('benches.outReasonHelp')}
          maxLength={200}
          value={values.reason}
          error={bad.reason === true ? t('benches.outReasonBad') : undefined}
          data-autofocus
          onChange={(event) => put({ reason: event.currentTarget.value })}
        />
        <NativeSelect
          label={t('benches.outWhen')}
          value={values.when}
          data={[
            { value: 'now', label: t('benches.outWhenNow') },
            { value: 'later', label: t('benches.outWhenLater') },
            { value: 'weekly', label: t('benches.outWhenWeekly') },
          ]}
          onChange={(event) => put({ when: event.currentTarget.value as When })}
        />
        {values.when === 'weekly' ? (
          <>
            <Checkbox.Group
              label={t('benches.outDays')}
              value={[...values.days]}
              error={bad.days === true ? t('benches.outDaysBad') : undefined}
              onChange={(chosen) => put({ days: days.filter((day) => chosen.includes(day)) })}
            >
              <div className={styles.days}>
                {days.map((day) => (
                  <Checkbox key={day} value={day} label={names[day]} />
                ))}
              </div>
            </Checkbox.Group>
            <div className={styles.span}>
              <TextInput
                type="time"
                label={t('benches.outBegin')}
                value={values.hourFrom}
                onChange={(event) => put({ hourFrom: event.currentTarget.value })}
              />
              <TextInput
                type="time"
                label={t('benches.outEnd')}
                value={values.hourUntil}
                onChange={(event) => put({ hourUntil: event.currentTarget.value })}
              />
            </div>
            <p className="soft">{t('benches.outHoursHelp', { zone })}</p>
          </>
        ) : (
          <div className={styles.span}>
            {values.when === 'later' ? (
              <TextInput
                type="datetime-local"
                label={t('benches.outBegin')}
                value={values.from}
                error={bad.from === true ? t('benches.outBeginBad') : undefined}
                onChange={(event) => put({ from: event.currentTarget.value })}
              />
            ) : null}
            <TextInput
              type="datetime-local"
              label={t('benches.outEnd')}
              description={t('benches.outEndHelp')}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              value={values.until}
              error={bad.until === true ? t('benches.outEndBad') : undefined}
              onChange={(event) => put({ until: event.currentTarget.value })}
            />
          </div>
        )}
        <Checkbox
          label={t('benches.outCancel')}
          checked={values.atOnce}
          onChange={(event) => put({ atOnce: event.currentTarget.checked })}
        />
        {plan.error === null ? null : <ProblemNotice error={plan.error} />}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={close}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={plan.isPending}>
            {t(values.when === 'now' ? 'benches.outSaveNow' : 'benches.outSave', { count: benches.length })}
          </Button>
        </div>
      </form>
    </Modal>
  )
}

type Bad = Readonly<Partial<Record<'reason' | 'from' | 'until' | 'days', true>>>

/** NaN for what is no time. */
const msOf = (text: string): number => Date.parse(fromLocal(text) ?? '')

function badFields({ when, reason, from, until, days: chosen }: Values): Bad {
  const begin = when === 'later' ? msOf(from) : Date.now()
  const ends = when !== 'weekly' && until !== ''
  return {
    ...(reason.trim() === '' ? { reason: true } : {}),
    ...(when === 'later' && Number.isNaN(begin) ? { from: true } : {}),
    ...(ends && !(msOf(until) > Math.max(Date.now(), Number.isNaN(begin) ? 0 : begin)) ? { until: true } : {}),
    ...(when === 'weekly' && chosen.length === 0 ? { days: true } : {}),
  }
}

function bodyOf(values: Values, timeZone: string): PlanOutage {
  const { when, from, until, hourFrom, hourUntil, days: chosen, atOnce } = values
  const reason = values.reason.trim()
  if (when === 'weekly') {
    return {
      reason,
      atOnce,
      weekly: { days: [...chosen], from: hourFrom, until: hourUntil === '00:00' ? '24:00' : hourUntil, timeZone },
    }
  }
  return {
    reason,
    atOnce,
    ...(when === 'later' ? { from: fromLocal(from) } : {}),
    ...(until === '' ? {} : { until: fromLocal(until) }),
  }
}
