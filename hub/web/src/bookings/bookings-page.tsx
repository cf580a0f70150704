import type { Booking } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
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
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { BookingList } from './booking-list.tsx'
import { BookingNav } from './booking-nav.tsx'
import { bookingsQuery, isOpen } from './booking-queries.ts'
import styles from './bookings.module.css'
import { CalendarFile } from './calendar-file.tsx'

/** My bookings: the one that is on, those to come, and the past; for staff also everybody's. */
export default function BookingsPage() {
  const { t } = useWords()
  const api = useApi()
  const me = useQuery(meQuery(api)).data
  const { whose } = useSearch({ from: '/framed/calendar/bookings' })
  const navigate = useNavigate({ from: '/calendar/bookings' })
  const [booking, setBooking] = useState(false)
  const staff = isStaff(me?.role)
  const everybody = staff && whose === 'all'
  const person = everybody ? undefined : me?.id
  const title = everybody ? t('booking.everybodyTitle') : t('booking.title')
  useTitle(title)
  const open = useInfiniteQuery({ ...bookingsQuery(api, { person }), enabled: me != null })
  const items = open.data?.pages.flatMap((page) => page.items).filter(isOpen)
  const now = items?.filter(({ state }) => state === 'now') ?? []
  const toCome = items?.filter(({ state }) => state === 'booked') ?? []
  const add =
    me == null || me.role === 'guest' ? null : (
      <Button leftSection={<IconCalendarPlus size={16} aria-hidden="true" />} onClick={() => setBooking(true)}>
        {t('booking.book')}
      </Button>
    )
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
                void navigate({ search: chosen === '' ? {} : { whose: chosen }, replace: true })
              }}
            />
          ) : null}
          {items?.length ? (
            <>
              {everybody ? null : <CalendarFile />}
              {add}
            </>
          ) : null}
        </>
      }
    >
      <BookingNav />
      {items === undefined ? (
        open.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={open.error} onRetry={() => void open.refetch()} />
        )
      ) : (
        <div className={styles.sections}>
          {items.length === 0 && !open.hasNextPage ? (
            <EmptyState title={t('booking.empty')} action={add}>
              {t(everybody ? 'booking.emptyForAll' : 'booking.emptyText')}
            </EmptyState>
          ) : null}
          <Section id="now" title={t('booking.now')} bookings={now} withPerson={everybody} />
          <Section id="to-come" title={t('booking.toCome')} bookings={toCome} withPerson={everybody} />
          {open.hasNextPage ? (
            <Button variant="default" loading={open.isFetchingNextPage} onClick={() => void open.fetchNextPage()}>
              {t('booking.more')}
            </Button>
          ) : null}
          <Past key={whose} person={person} everybody={everybody} />
        </div>
      )}
      {booking ? <BookingDialog onClose={() => setBooking(false)} /> : null}
    </Page>
  )
}

interface SectionProps {
  readonly id: string
  readonly title: string
  readonly bookings: readonly Booking[]
  readonly withPerson: boolean
}

function Section({ id, title, bookings, withPerson }: SectionProps) {
  if (bookings.length === 0) return null
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <BookingList bookings={bookings} withPerson={withPerson} />
    </section>
  )
}

/** Read only when somebody wants them: most look at what is to come. */
function Past({ person, everybody }: { person: string | undefined; everybody: boolean }) {
  const { t } = useWords()
  const [to, setTo] = useState<string>()
  const past = useInfiniteQuery({
    ...bookingsQuery(useApi(), { person, from: new Date(0).toISOString(), to, order: 'latest' }),
    enabled: to !== undefined,
  })
  if (to === undefined) {
    return (
      <Button variant="subtle" className={styles.showPast} onClick={() => setTo(new Date().toISOString())}>
        {t('booking.showPast')}
      </Button>
    )
  }
  const items = past.data?.pages.flatMap((page) => page.items).filter((one) => !isOpen(one))
  return (
    <section className={styles.section} aria-labelledby="past">
      <h2 id="past">{t('booking.past')}</h2>
      {items === undefined ? (
        past.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={past.error} onRetry={() => void past.refetch()} />
        )
      ) : items.length === 0 && !past.hasNextPage ? (
        <p className="soft">{t('booking.pastEmpty')}</p>
      ) : (
        <BookingList bookings={items} withPerson={everybody} />
      )}
      {past.hasNextPage ? (
        <Button variant="default" loading={past.isFetchingNextPage} onClick={() => void past.fetchNextPage()}>
          {t('booking.more')}
        </Button>
      ) : null}
    </section>
  )
}
