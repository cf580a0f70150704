import { NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './bookings.module.css'

const usualMinutes = [15, 30, 45, 60, 90, 120, 180, 240, 480]
const mostMinutes = 31 * 1440

interface Props {
  /** As typed. */
  readonly minutes: string
  readonly onChange: (minutes: string) => void
}

/** The length that such a field says, in seconds; undefined for what can be none. */
export function secondsOf(minutes: string): number | undefined {
  const seconds = Math.round(Number(minutes) * 60)
  return minutes.trim() !== '' && seconds >= 60 && seconds <= mostMinutes * 60 ? seconds : undefined
}

/** For how long: one of the usual lengths, or minutes of one's own. */
export function LengthField({ minutes, onChange }: Props) {
  const { t, duration } = useWords()
  const [other, setOther] = useState(!usualMinutes.includes(Number(minutes)))
  return (
    <div className={styles.length}>
      <NativeSelect
        label={t('booking.length')}
        value={other ? '' : minutes}
        data={[
          ...usualMinutes.map((one) => ({ value: String(one), label: duration(one * 60) })),
          { value: '', label: t('booking.otherLength') },
        ]}
        onChange={(event) => {
          const { value } = event.currentTarget
          setOther(value === '')
          if (value !== '') onChange(value)
        }}
      />
      {other ? (
        <TextInput
          label={t('booking.minutes')}
          inputMode="numeric"
          value={minutes}
          error={secondsOf(minutes) === undefined ? t('booking.minutesBad') : undefined}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : null}
    </div>
  )
}
