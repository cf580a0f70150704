import { bookingWhens } from '@fernlab/shared/contracts/booking-whens'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { typedInstant } from '@fernlab/shared/primitives/typed-time'
import { Button, NativeSelect } from '@mantine/core'
import { IconCalendarPlus } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { BookingList, type BookingsShown as Shown } from './booking-list.tsx'
import { BookingNav } from './booking-nav.tsx'
import { BookingNotices } from './booking-notices.tsx'
import { bookingQuery, bookingsQuery } from './booking-queries.ts'
import styles from './bookings.module.css'
import { BookingsFilter } from './bookings-filter.tsx'
import { CalendarFile } from './calendar-file.tsx'
import { type Cancelled, CancelledNotice } from './cancelled-notice.tsx'
import { LetterPlace } from './letter-place.tsx'

/** What the address says: whose, and what a link of a letter opens. */
export interface BookingsSearch {
  readonly whose?: string
  /** Which of them: to come unless it is given. */
  readonly show?: string
  readonly lab?: string
  readonly change?: string
  readonly at?: string
  readonly minutes?: string
}

/** My bookings: the one that is on and those to come, the past, the cancelled or the missed; for staff also everybody's. */
export default function BookingsPage() {
  const { t } = useWords()
  const api = useApi()
  const me = useQuery(meQuery(api)).data
  const { whose, show } = useSearch({ from: '/framed/calendar/bookings' })
  const navigate = useNavigate({ from: '/calendar/bookings' })
  const [booking, setBooking] = useState(false)
  const [cancelled, setCancelled] = useState<Cancelled>()
  const staff = isStaff(me?.role)
  const everybody = staff && whose === 'all'
  const when = bookingWhens.find((one) => one === show) ?? 'to-come'
  const title = everybody ? t('booking.everybodyTitle') : t('booking.title')
  useTitle(title)
  const found = useInfiniteQuery({
    ...bookingsQuery(api, { person: everybody ? undefined : me?.id, when }),
    enabled: me != null,
  })
  const items = found.data?.pages.flatMap((page) => page.items)
  const add =
    me == null || me.role === 'guest' ? null : (
      <Button leftSection={<IconCalendarPlus size={16} aria-hidden="true" />} onClick={() => setBooking(true)}>
        {t('booking.book')}
      </Button>
    )
  const shown = { withPerson: everybody, onCancelled: setCancelled }
  return (
    <Page
      title={title}
      aside={
        <>
          {staff ? (
            <NativeSelect
              aria-label={t('booking.whose')}
              value={everybody ? 'all' : ''}
              data={[
                { value: '', label: t('booking.mine') },
                { value: 'all', label: t('booking.everybody') },
              ]}
              onChange={(event) => {
                const chosen = event.currentTarget.value
                const search = { ...(chosen === '' ? {} : { whose: chosen }), ...(show === undefined ? {} : { show }) }
                void navigate({ search, replace: true })
              }}
            />
          ) : null}
          {everybody || !items?.length ? null : <CalendarFile />}
          {items?.length || when !== 'to-come' ? add : null}
        </>
      }
    >
      <BookingNav />
      {everybody ? null : <BookingNotices />}
      {cancelled === undefined ? null : (
        <CancelledNotice key={cancelled.booking.id} {...cancelled} onClose={() => setCancelled(undefined)} />
      )}
      <BookingsFilter when={when} />
      {items === undefined ? (
        found.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />
        )
      ) : (
        <div className={styles.sections}>
          {items.length > 0 ? null : when === 'to-come' ? (
            <EmptyState title={t('booking.empty')} action={add}>
              {t(everybody ? 'booking.emptyForAll' : 'booking.emptyText')}
            </EmptyState>
          ) : (
            <p className="soft">{t(`booking.none.${when}`)}</p>
          )}
          {when === 'to-come' ? (
            <>
              <Section id="now" title={t('booking.now')} bookings={items.filter(isOn)} {...shown} />
              <Section
                id="to-come"
                title={t('booking.toCome')}
                bookings={items.filter((one) => !isOn(one))}
                {...shown}
              />
            </>
          ) : (
            <Section id={when} title={t(`booking.when.${when}`)} bookings={items} {...shown} />
          )}
          <MoreButton list={found}>{t('booking.more')}</MoreButton>
        </div>
      )}
      {booking ? <BookingDialog onClose={() => setBooking(false)} /> : null}
      <LinkedBooking onCancelled={setCancelled} />
      <LetterPlace />
    </Page>
  )
}

const isOn = ({ state }: Booking): boolean => state === 'now'

/** What the link of a letter opens: a time to book, or to which a booking can be moved. */
function LinkedBooking({ onCancelled }: Pick<Shown, 'onCancelled'>) {
  const api = useApi()
  const { lab, change = '', at = '', minutes } = useSearch({ from: '/framed/calendar/bookings' })
  const navigate = useNavigate({ from: '/calendar/bookings' })
  const booking = useQuery({ ...bookingQuery(api, change), enabled: change !== '' })
  const start = typedInstant(at, 'UTC')
  const close = () => void navigate({ search: {}, replace: true })
  if (booking.error !== null) return <ProblemNotice error={booking.error} />
  if (booking.data !== undefined)
    return <BookingDialog booking={booking.data} start={start} onCancelled={onCancelled} onClose={close} />
  if (lab === undefined || change !== '') return null
  const length = Number(minutes)
  return <BookingDialog lab={lab} start={start} minutes={length > 0 ? length : undefined} onClose={close} />
}

interface SectionProps extends Shown {
  readonly id: string
  readonly title: string
}

function Section({ id, title, ...shown }: SectionProps) {
  if (shown.bookings.length === 0) return null
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <BookingList {...shown} />
    </section>
  )
}
