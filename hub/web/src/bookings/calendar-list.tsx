import type { Booking } from '@fernlab/shared/contracts/bookings'
import { Button } from '@mantine/core'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import { BookingMark } from './booking-mark.tsx'
import { isOpen } from './booking-queries.ts'
import { hoursText, quarterFrom } from './booking-times.ts'
import styles from './calendar.module.css'
import type { Band } from './calendar-capacity.ts'
import type { Day } from './calendar-days.ts'
import type { CalendarProps } from './calendar-grid.tsx'
import { bandText, bookingText } from './calendar-words.ts'

/** What is free and what is booked, day by day, from now on. */
export function CalendarList(props: CalendarProps) {
  const { days, nowMs, timeZone } = props
  const { t, language } = useWords()
  const toCome = days.filter(({ until }) => until > nowMs)
  if (toCome.length === 0) return <p className="soft">{t('booking.weekOver')}</p>
  return (
    <div className={styles.agenda}>
      {toCome.map((day) => (
        <section key={day.id} aria-labelledby={`day-${day.id}`} className={styles.agendaDay}>
          <h3 id={`day-${day.id}`}>
            {new Intl.DateTimeFormat(regionOf(language), {
              timeZone,
              weekday: 'long',
              day: 'numeric',
              month: 'long',
            }).format(day.from)}
          </h3>
          <ul className={styles.agendaList}>
            {entriesOf(props, day).map((entry) => (
              <Entry key={`${entry.from} ${entry.booking?.id ?? ''}`} {...props} entry={entry} day={day} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

interface DayEntry {
  readonly from: number
  readonly until: number
  readonly booking?: Booking
  readonly band?: Band
}

/** By time; what is taken by others has no line of its own. */
function entriesOf({ bands, bookings, nowMs }: CalendarProps, day: Day): DayEntry[] {
  const begin = Math.max(day.from, nowMs)
  const free = (bands ?? []).flatMap((band): DayEntry[] => {
    const [from, until] = [Math.max(band.from, begin), Math.min(band.until, day.until)]
    return from < until ? [{ from, until, band }] : []
  })
  const booked = bookings.flatMap((booking): DayEntry[] => {
    const [from, until] = [Date.parse(booking.start), Date.parse(booking.end)]
    return from < day.until && begin < until ? [{ from, until, booking }] : []
  })
  return [...free, ...booked].sort(
    (a, b) => a.from - b.from || Number(a.band === undefined) - Number(b.band === undefined),
  )
}

function Entry({
  entry,
  day,
  benches,
  lab,
  me,
  timeZone,
  onBook,
  onOpen,
}: CalendarProps & { readonly entry: DayEntry; readonly day: Day }) {
  const words = useWords()
  const { t } = words
  const { from, until, booking, band } = entry
  const isWhole = from <= day.from && day.until <= until
  const hours = isWhole ? t('booking.allDay') : hoursText(from, until, regionOf(words.language), timeZone)
  const what =
    booking !== undefined
      ? bookingText(booking, lab, me, words)
      : band === undefined
        ? ''
        : bandText(band, benches, words)
  return (
    <li className={styles.entry} data-kind={booking === undefined ? band?.kind : 'booking'}>
      <span className={styles.entryHours}>{hours}</span>
      <span className={styles.entryWhat}>
        {booking === undefined ? null : <BookingMark state={booking.state} />}
        <span>{what}</span>
        {booking?.note === undefined ? null : <span className="soft">{booking.note}</span>}
      </span>
      {band?.kind === 'free' && onBook !== undefined ? (
        <Button
          size="xs"
          variant="default"
          aria-label={`${t('booking.book')}: ${hours}`}
          onClick={() => onBook(quarterIn(from, until))}
        >
          {t('booking.bookShort')}
        </Button>
      ) : null}
      {booking !== undefined && isOpen(booking) ? (
        <Button
          size="xs"
          variant="default"
          aria-label={`${t('booking.change')}: ${what}, ${hours}`}
          onClick={() => onOpen(booking)}
        >
          {t('booking.change')}
        </Button>
      ) : null}
    </li>
  )
}

/** The first quarter of an hour within the time; its beginning where there is none. */
function quarterIn(from: number, until: number): number {
  const quarter = quarterFrom(from)
  return quarter < until ? quarter : from
}
