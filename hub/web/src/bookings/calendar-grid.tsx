import type { Booking } from '@fernlab/shared/contracts/bookings'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import styles from './calendar.module.css'
import type { Band } from './calendar-capacity.ts'
import { DayColumn } from './calendar-day.tsx'
import { type Day, linesOf } from './calendar-days.ts'

export interface CalendarProps {
  readonly days: readonly Day[]
  /** Undefined while they are not known. */
  readonly bands: readonly Band[] | undefined
  /** Of the lab, and one's own of others. */
  readonly bookings: readonly Booking[]
  /** Of the lab in all. */
  readonly benches: number
  readonly lab: string
  readonly me: string
  readonly nowMs: number
  readonly timeZone: string
  /** Undefined for who may not book. */
  readonly onBook: ((start: number) => void) | undefined
  readonly onOpen: (booking: Booking) => void
}

/** Pixels of an hour; the style sheet has the same. */
const lineHeight = 36

/**
 * Days side by side, each a section with a button for every hour. One of them is on the way of Tab; from there the arrow
 * keys go the way that one sees, over the last day to the days after, Page up and down to the days before and after.
 */
export function CalendarGrid(props: CalendarProps & { readonly onMove: (by: number) => void }) {
  const { days, nowMs, timeZone, onMove } = props
  const { language } = useWords()
  const region = regionOf(language)
  const lines = linesOf(days)
  const scroll = useRef<HTMLDivElement>(null)
  const [chosen, setActive] = useState(() => firstActive(days, nowMs))
  // The days of another week may have one less.
  const active = { ...chosen, hour: Math.min(chosen.hour, (days[chosen.day]?.hours.length ?? 1) - 1) }
  /** At which hour of the clock the focus goes on once the days are there to which a key leads. */
  const leaving = useRef<number>(undefined)
  const focus = ({ day, hour }: Active) =>
    scroll.current?.querySelector<HTMLElement>(`[data-cell="${day} ${hour}"]`)?.focus()
  // What one looks for first is by day, and near now; where it was scrolled to afterwards stays.
  const [firstHour] = useState(active.hour)
  useEffect(() => {
    scroll.current?.scrollTo({ top: Math.max(0, firstHour - 1) * lineHeight })
  }, [firstHour])
  const first = days[0]?.id
  // biome-ignore lint/correctness/useExhaustiveDependencies: other days are what it waits for.
  useEffect(() => {
    if (leaving.current === undefined) return
    const to = { day: active.day, hour: hourIn(days[active.day], leaving.current) }
    leaving.current = undefined
    setActive(to)
    focus(to)
  }, [first])
  const leave = (by: number, to: Active) => {
    leaving.current = days[active.day]?.hours[active.hour]?.hour
    setActive(to)
    onMove(by)
  }
  const onKey = (event: KeyboardEvent) => {
    const page = { PageUp: -1, PageDown: 1 }[event.key]
    const beside = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (page !== undefined) {
      event.preventDefault()
      leave(page, active)
    } else if (beside !== undefined && days[active.day + beside] === undefined) {
      event.preventDefault()
      leave(beside, { ...active, day: beside < 0 ? days.length - 1 : 0 })
    } else {
      const to = moved(active, event.key, days)
      if (to === undefined) return
      event.preventDefault()
      setActive(to)
      focus(to)
    }
  }
  return (
    <div className={styles.scroll} ref={scroll}>
      <div className={styles.grid} style={{ gridTemplateColumns: `52px repeat(${days.length}, minmax(0, 1fr))` }}>
        <div className={styles.axis} aria-hidden="true">
          <div className={styles.dayHead} />
          {lines.map(({ hour, again }) => (
            <div key={`${hour} ${again}`} className={styles.line}>
              <span>
                {new Intl.DateTimeFormat(region, { hour: 'numeric', minute: '2-digit', timeZone: 'UTC' }).format(
                  hour * 3_600_000,
                )}
              </span>
            </div>
          ))}
        </div>
        {days.map((day, index) => (
          <DayColumn
            key={day.id}
            {...props}
            day={day}
            index={index}
            lines={lines}
            timeZone={timeZone}
            active={active.day === index ? active.hour : undefined}
            onKey={onKey}
            onActive={(hour) => setActive({ day: index, hour })}
          />
        ))}
      </div>
    </div>
  )
}

interface Active {
  readonly day: number
  /** Index into the hours of the day. */
  readonly hour: number
}

function firstActive(days: readonly Day[], nowMs: number): Active {
  const today = days.findIndex(({ from, until }) => from <= nowMs && nowMs < until)
  const hour = days[today]?.hours.findIndex(({ from, until }) => from <= nowMs && nowMs < until) ?? 8
  return { day: Math.max(0, today), hour }
}

/** Which of the day's hours the clocks show as this one, or next after it. */
function hourIn(day: Day | undefined, clockHour: number): number {
  const hours = day?.hours ?? []
  const found = hours.findIndex(({ hour }) => hour >= clockHour)
  return found === -1 ? hours.length - 1 : found
}

/** Where the key leads; undefined for one that leads nowhere. */
function moved({ day, hour }: Active, key: string, days: readonly Day[]): Active | undefined {
  const hoursOf = (at: number) => days[at]?.hours ?? []
  const last = hoursOf(day).length - 1
  switch (key) {
    case 'ArrowUp':
      return { day, hour: Math.max(0, hour - 1) }
    case 'ArrowDown':
      return { day, hour: Math.min(last, hour + 1) }
    case 'Home':
      return { day, hour: 0 }
    case 'End':
      return { day, hour: last }
    case 'ArrowLeft':
    case 'ArrowRight': {
      const next = Math.min(days.length - 1, Math.max(0, day + (key === 'ArrowLeft' ? -1 : 1)))
      return { day: next, hour: hourIn(days[next], hoursOf(day)[hour]?.hour ?? 0) }
    }
    default:
      return undefined
  }
}
