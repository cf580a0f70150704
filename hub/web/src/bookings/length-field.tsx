import { NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './bookings.module.css'

const usualMinutes = [15, 30, 45, 60, 90, 120, 180, 240, 480]
const mostMinutes = 31 * 1440

interface Props {
  /** As typed. */
  readonly minutes: string
  /** No booking is longer, seconds; null: anything. */
  readonly longestS?: number | null | undefined
  /** What follows the chosen beginning leaves no more; undefined where that is not known. */
  readonly roomS?: number | undefined
  /** Of any of them so much goes into making the bench ready. */
  readonly prepareS?: number | undefined
  readonly onChange: (minutes: string) => void
}

/** The length that such a field says, in seconds; undefined for what can be none. */
export function secondsOf(minutes: string): number | undefined {
  const seconds = Math.round(Number(minutes) * 60)
  return minutes.trim() !== '' && seconds >= 60 && seconds <= mostMinutes * 60 ? seconds : undefined
}

/** The usual lengths up to the longest, and that. */
function lengthsUpTo(longestS: number | null | undefined): number[] {
  if (longestS == null) return usualMinutes
  const longest = Math.floor(longestS / 60)
  const lengths = usualMinutes.filter((one) => one < longest)
  return longest === 0 ? lengths : [...lengths, longest]
}

/** Those that are offered: of all that may be, those for which there is room, and the one that is chosen. */
function lengthsFor({ minutes, longestS, roomS, prepareS = 0 }: Omit<Props, 'onChange'>): number[] {
  const may = lengthsUpTo(longestS)
  const isShort = roomS !== undefined && roomS < (may.at(-1) ?? 0) * 60
  const fitting = isShort ? lengthsUpTo(roomS) : may
  const chosen = Number(minutes)
  const offered = fitting.filter((one) => one * 60 > prepareS)
  return may.includes(chosen) && !offered.includes(chosen) ? [...offered, chosen].sort((a, b) => a - b) : offered
}

/** An hour, or the longest for which there is leave and room. */
export function firstMinutes(longestS: number | null | undefined, roomS = Number.POSITIVE_INFINITY): string {
  const longest = Math.min(60, lengthsUpTo(longestS).at(-1) ?? 60)
  return String(Math.min(longest, Math.max(1, Math.floor(roomS / 60))))
}

/** For how long: one of the usual lengths, or minutes of one's own. */
export function LengthField({ onChange, ...asked }: Props) {
  const { t, duration } = useWords()
  const { minutes, longestS } = asked
  const lengths = lengthsFor(asked)
  const [typing, setTyping] = useState(false)
  const other = typing || !lengths.includes(Number(minutes))
  const seconds = secondsOf(minutes)
  const tooLong = seconds !== undefined && longestS != null && seconds > longestS
  const complaint =
    seconds === undefined
      ? t('booking.minutesBad')
      : tooLong
        ? t('booking.longest', { time: longestS === 0 ? t('booking.noTime') : duration(longestS) })
        : undefined
  return (
    <div className={styles.length}>
      <NativeSelect
        label={t('booking.length')}
        value={other ? '' : minutes}
        data={[
          ...lengths.map((one) => ({ value: String(one), label: duration(one * 60) })),
          { value: '', label: t('booking.otherLength') },
        ]}
        onChange={(event) => {
          const { value } = event.currentTarget
          setTyping(value === '')
          if (value !== '') onChange(value)
        }}
      />
      {other ? (
        <TextInput
          label={t('booking.minutes')}
          inputMode="numeric"
          value={minutes}
          error={complaint}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      ) : null}
    </div>
  )
}
