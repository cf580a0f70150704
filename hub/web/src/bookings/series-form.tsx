import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { dayNames, days } from '../benches/weekdays.ts'
import { GroupSelect } from '../groups/group-select.tsx'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './bookings.module.css'
import { LengthField } from './length-field.tsx'
import { badFields, type SeriesValues } from './series-values.ts'
import { useZones } from './use-zones.ts'

interface Props {
  readonly values: SeriesValues
  readonly onChange: (change: Partial<SeriesValues>) => void
  readonly pending: boolean
  readonly error: unknown
  readonly onLook: () => void
  readonly onClose: () => void
}

const mostWeeks = 8

/** Which days and hours of which weeks are to be booked, and for whom. */
export function SeriesForm({ values, onChange, pending, error, onLook, onClose }: Props) {
  const { t, language } = useWords()
  const [sent, setSent] = useState(false)
  const zones = useZones()
  const found = badFields(values)
  const bad: Partial<typeof found> = sent ? found : {}
  const names = dayNames(language, 'long')
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (!Object.values(found).includes(true)) onLook()
  }
  return (
    <form className={dialog.content} onSubmit={send} noValidate>
      <p>{t('booking.series.text')}</p>
      <Checkbox.Group
        label={t('booking.series.days')}
        value={[...values.days]}
        error={bad.days ? t('booking.series.daysBad') : undefined}
        onChange={(chosen) => onChange({ days: days.filter((day) => chosen.includes(day)) })}
      >
        <div className={styles.days}>
          {days.map((day) => (
            <Checkbox key={day} value={day} label={names[day]} />
          ))}
        </div>
      </Checkbox.Group>
      <div className={styles.times}>
        <TextInput
          type="time"
          label={t('booking.start')}
          value={values.at}
          error={bad.at ? t('booking.series.atBad') : undefined}
          onChange={(event) => onChange({ at: event.currentTarget.value })}
        />
        <LengthField minutes={values.minutes} onChange={(minutes) => onChange({ minutes })} />
        <NativeSelect
          label={t('booking.zone')}
          value={values.timeZone}
          data={[...zones.data]}
          onChange={(event) => onChange({ timeZone: event.currentTarget.value })}
        />
      </div>
      <div className={styles.times}>
        <TextInput
          type="date"
          label={t('booking.series.from')}
          value={values.from}
          error={bad.from ? t('booking.series.fromBad') : undefined}
          onChange={(event) => onChange({ from: event.currentTarget.value })}
        />
        <TextInput
          type="date"
          label={t('booking.series.until')}
          value={values.until}
          error={bad.until ? t('booking.series.untilBad') : undefined}
          onChange={(event) => onChange({ until: event.currentTarget.value })}
        />
        <NativeSelect
          label={t('booking.series.every')}
          value={values.everyWeeks}
          data={Array.from({ length: mostWeeks }, (_, index) => ({
            value: String(index + 1),
            label: t('booking.series.weeks', { count: index + 1 }),
          }))}
          onChange={(event) => onChange({ everyWeeks: event.currentTarget.value })}
        />
      </div>
      <div className={styles.times}>
        <GroupSelect
          label={t('booking.group')}
          none={t('booking.noGroup')}
          value={values.group}
          onChange={(event) => onChange({ group: event.currentTarget.value })}
        />
        <TextInput
          label={t('booking.benches')}
          inputMode="numeric"
          value={values.places}
          error={bad.places ? t('booking.benchesBad') : undefined}
          onChange={(event) => onChange({ places: event.currentTarget.value })}
        />
      </div>
      <TextInput
        label={t('booking.note')}
        description={t('booking.noteHelp')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={200}
        value={values.note}
        onChange={(event) => onChange({ note: event.currentTarget.value })}
      />
      {error === null ? null : <ProblemNotice error={error} />}
      <div className={dialog.buttons}>
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" loading={pending}>
          {t('booking.series.look')}
        </Button>
      </div>
    </form>
  )
}
