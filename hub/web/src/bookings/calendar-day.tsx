import type { KeyboardEvent } from 'react'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import { hoursText } from './booking-times.ts'
import styles from './calendar.module.css'
import { offerOf } from './calendar-capacity.ts'
import { type Day, heightAt, inLanes, type Line } from './calendar-days.ts'
import type { CalendarProps } from './calendar-grid.tsx'
import { bandText, bookingText, offerText } from './calendar-words.ts'

interface Props extends CalendarProps {
  readonly day: Day
  readonly index: number
  readonly lines: readonly Line[]
  /** Which of its hours has the focus of the grid. */
  readonly active: number | undefined
  readonly onActive: (hour: number) => void
  readonly onKey: (event: KeyboardEvent) => void
}

/** In less there is no room for a word. */
const leastLines = 0.6

/** A day: its hours to press, what is free of them behind, what is booked before. */
export function DayColumn({
  day,
  index,
  lines,
  bands,
  bookings,
  benches,
  lab,
  me,
  nowMs,
  timeZone,
  active,
  onActive,
  onKey,
  onBook,
  onOpen,
}: Props) {
  const words = useWords()
  const region = regionOf(words.language)
  const format = (options: Intl.DateTimeFormatOptions, ms: number) =>
    new Intl.DateTimeFormat(region, { timeZone, ...options }).format(ms)
  const topOf = (from: number) => heightAt(day, lines, Math.max(from, day.from))
  /** How many lines it is high. */
  const linesFor = (from: number, until: number) => heightAt(day, lines, Math.min(until, day.until)) - topOf(from)
  const place = (from: number, until: number) => ({ top: share(topOf(from)), height: share(linesFor(from, until)) })
  /** In percent of the day's column. */
  const share = (height: number) => `${(height / lines.length) * 100}%`
  const here = bookings
    .map((booking) => ({ booking, from: Date.parse(booking.start), until: Date.parse(booking.end) }))
    .filter(({ from, until }) => from < day.until && day.from < until)
  const isToday = day.from <= nowMs && nowMs < day.until
  return (
    <section aria-labelledby={`day-${day.id}`} className={styles.day} data-today={isToday || undefined}>
      <h3 id={`day-${day.id}`} className={styles.dayHead}>
        <span>{format({ weekday: 'short' }, day.from)}</span> <b>{format({ day: 'numeric' }, day.from)}</b>
      </h3>
      <div className={styles.hours} style={{ height: `calc(${lines.length} * var(--line-height))` }}>
        {(bands ?? [])
          .filter(({ from, until }) => from < day.until && day.from < until)
          .map((band) => (
            <div
              key={band.from}
              aria-hidden="true"
              className={styles.band}
              data-kind={band.kind}
              style={place(band.from, band.until)}
            >
              {linesFor(band.from, band.until) < leastLines ? null : (
                <span className={styles.bandText}>{bandText(band, benches, words)}</span>
              )}
            </div>
          ))}
        {nowMs <= day.from ? null : (
          <div
            aria-hidden="true"
            className={styles.past}
            style={place(day.from, nowMs)}
            data-now={isToday || undefined}
          />
        )}
        {day.hours.map((hour, at) => {
          const offer = offerOf(bands, hour, nowMs)
          const start = offer.at
          const when = format(
            { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
            hour.from,
          )
          return (
            <button
              key={hour.from}
              type="button"
              className={styles.cell}
              style={place(hour.from, hour.until)}
              data-cell={`${index} ${at}`}
              tabIndex={at === active ? 0 : -1}
              aria-label={`${when}: ${offerText(offer, benches, words)}`}
              aria-disabled={start === undefined || onBook === undefined}
              onFocus={() => onActive(at)}
              onKeyDown={onKey}
              onClick={() => start !== undefined && onBook?.(start)}
            />
          )
        })}
        {inLanes(here).map(({ item: { booking, from, until }, lane, lanes }) => {
          const hours = hoursText(from, until, region, timeZone)
          const what = bookingText(booking, lab, me, words)
          return (
            <button
              key={booking.id}
              type="button"
              className={styles.booking}
              data-whose={booking.lab !== lab ? 'elsewhere' : booking.person.id === me ? 'mine' : 'other'}
              style={{
                ...place(from, until),
                left: `${(lane / lanes) * 100}%`,
                width: `calc(${100 / lanes}% - 3px)`,
              }}
              title={[hours, what, booking.note ?? ''].filter(Boolean).join(' · ')}
              onClick={() => onOpen(booking)}
            >
              <b>{what}</b> <span>{hours}</span>
            </button>
          )
        })}
      </div>
    </section>
  )
}
