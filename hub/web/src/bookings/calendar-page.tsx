import type { Booking } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { typedDay } from '@fernlab/shared/primitives/typed-time'
import { Button, NativeSelect } from '@mantine/core'
import { IconCalendarPlus, IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { labsQuery, meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { regionOf } from '../language/language.ts'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useNow, useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { BookingNav } from './booking-nav.tsx'
import { bookingsQuery, calendarQuery, isOpen } from './booking-queries.ts'
import styles from './calendar.module.css'
import { bandsOf } from './calendar-capacity.ts'
import { dayAt, daysFrom, idAfter, mondayOf } from './calendar-days.ts'
import { CalendarGrid } from './calendar-grid.tsx'
import { CalendarList } from './calendar-list.tsx'
import { type Cancelled, CancelledNotice } from './cancelled-notice.tsx'
import { MayBook, useMayBook } from './may-book.tsx'
import { SeriesDialog } from './series-dialog.tsx'
import { useTimeZone } from './time-zone.ts'
import { useNarrow } from './use-narrow.ts'
import { ZoneLine } from './zone-line.tsx'

export interface CalendarSearch {
  readonly lab?: string
  /** As `2026-11-26`. */
  readonly day?: string
  /** `grid` or `list`. */
  readonly view?: string
}

/** When a lab is free and what of it is booked: hour by hour, or as a list. */
export default function CalendarPage() {
  const { t, text, language } = useWords()
  useTitle(t('booking.calendar'))
  const api = useApi()
  const search = useSearch({ from: '/framed/calendar' })
  const navigate = useNavigate({ from: '/calendar' })
  const narrow = useNarrow()
  const nowMs = useNow(30_000)
  const [timeZone] = useTimeZone()
  const [asked, setAsked] = useState<{ start?: number; booking?: Booking }>()
  const [weekly, setWeekly] = useState(false)
  const [cancelled, setCancelled] = useState<Cancelled>()
  const me = useQuery(meQuery(api)).data
  const labs = useQuery(labsQuery(api))
  const offered = (labs.data?.items ?? []).filter(({ id, benches }) => benches.length > 0 || id === search.lab)
  const lab = search.lab ?? offered[0]?.id
  const view = search.view ?? (narrow ? 'list' : 'grid')
  const today = dayAt(nowMs, timeZone)
  const chosen = typedDay(search.day ?? '') ?? today
  const step = view === 'grid' && narrow ? 1 : 7
  const days = daysFrom(step === 1 ? chosen : mondayOf(chosen), step, timeZone)
  const [from, until] = [days[0]?.from ?? 0, days.at(-1)?.until ?? 0]
  const calendar = useQuery({ ...calendarQuery(api, { lab: lab ?? '', from, to: until }), enabled: lab !== undefined })
  const mine = useInfiniteQuery({
    ...bookingsQuery(api, { person: me?.id, from: iso(from), to: iso(until), limit: 200 }),
    enabled: me != null,
  })
  const go = (next: CalendarSearch) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false })
  const move = (by: number) => go({ day: idAfter(chosen, by * step) })
  const may = useMayBook(lab)
  const mayBook = me != null && me.role !== 'guest' && may?.may !== false && calendar.data?.benches !== 0
  const elsewhere = (mine.data?.pages.flatMap(({ items }) => items) ?? []).filter(
    (booking) => booking.lab !== lab && booking.state !== 'cancelled',
  )
  const bookings = [...(calendar.data?.bookings ?? []), ...elsewhere]
  const range = new Intl.DateTimeFormat(regionOf(language), {
    timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    ...(step === 1 ? { weekday: 'short' } : {}),
  }).formatRange(from, Math.max(from, until - 1))
  if (labs.data !== undefined && lab === undefined) {
    return (
      <Page title={t('booking.calendar')}>
        <BookingNav />
        <EmptyState title={t('booking.noLab')} action={<LinkButton to="/labs">{t('error.home')}</LinkButton>}>
          {t('booking.noLabText')}
        </EmptyState>
      </Page>
    )
  }
  const shown = {
    days,
    bookings,
    bands: calendar.data && bandsOf(calendar.data, from, until),
    benches: calendar.data?.benches ?? 0,
    lab: lab ?? '',
    me: me?.id ?? '',
    nowMs,
    timeZone,
    onBook: mayBook ? (start: number) => setAsked({ start }) : undefined,
    onOpen: (booking: Booking) => isOpen(booking) && setAsked({ booking }),
  }
  return (
    <Page
      title={t('booking.calendar')}
      aside={
        mayBook && lab !== undefined ? (
          <>
            {isStaff(me.role) ? (
              <Button variant="default" onClick={() => setWeekly(true)}>
                {t('booking.series.weekly')}
              </Button>
            ) : null}
            <Button leftSection={<IconCalendarPlus size={16} aria-hidden="true" />} onClick={() => setAsked({})}>
              {t('booking.book')}
            </Button>
          </>
        ) : undefined
      }
    >
      <BookingNav />
      <div className={styles.controls}>
        <NativeSelect
          aria-label={t('booking.lab')}
          value={lab ?? ''}
          data={offered.map(({ id, title }) => ({ value: id, label: text(title) }))}
          onChange={(event) => go({ lab: event.currentTarget.value })}
        />
        <span className={styles.steps}>
          <Button
            variant="default"
            px={8}
            aria-label={t(step === 1 ? 'booking.dayBefore' : 'booking.weekBefore')}
            onClick={() => move(-1)}
          >
            <IconChevronLeft size={18} aria-hidden="true" />
          </Button>
          <Button variant="default" onClick={() => go({ day: idAfter(today, 0) })}>
            {t('booking.today')}
          </Button>
          <Button
            variant="default"
            px={8}
            aria-label={t(step === 1 ? 'booking.dayAfter' : 'booking.weekAfter')}
            onClick={() => move(1)}
          >
            <IconChevronRight size={18} aria-hidden="true" />
          </Button>
        </span>
        <h2 className={styles.range} aria-live="polite">
          {range}
        </h2>
        <NativeSelect
          aria-label={t('booking.view')}
          value={view}
          data={[
            { value: 'grid', label: t(narrow ? 'booking.viewDay' : 'booking.viewWeek') },
            { value: 'list', label: t('booking.viewList') },
          ]}
          onChange={(event) => go({ view: event.currentTarget.value })}
        />
      </div>
      <ZoneLine />
      {may?.may === false ? <MayBook may={may} /> : null}
      {cancelled === undefined ? null : (
        <CancelledNotice key={cancelled.booking.id} {...cancelled} onClose={() => setCancelled(undefined)} />
      )}
      {calendar.data === undefined && calendar.error !== null ? (
        <ProblemNotice error={calendar.error} onRetry={() => void calendar.refetch()} />
      ) : calendar.data?.benches === 0 ? (
        <p>{t('booking.refused.no-bench')}</p>
      ) : view === 'list' ? (
        calendar.data === undefined ? (
          <Loading lines={6} />
        ) : (
          <CalendarList {...shown} />
        )
      ) : (
        <CalendarGrid key={narrow ? 'day' : 'week'} {...shown} onMove={move} />
      )}
      {weekly && lab !== undefined ? (
        <SeriesDialog
          lab={lab}
          called={text(offered.find(({ id }) => id === lab)?.title) || lab}
          onClose={() => setWeekly(false)}
        />
      ) : null}
      {asked === undefined ? null : (
        <BookingDialog
          {...asked}
          {...(asked.booking === undefined && lab !== undefined ? { lab } : {})}
          onCancelled={setCancelled}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Page>
  )
}

const iso = (ms: number): string => new Date(ms).toISOString()
