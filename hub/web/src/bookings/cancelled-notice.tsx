import { SHORTEST_BOOKING_S } from '@fernlab/shared/contracts/bookable-times'
import type { Book, Booking } from '@fernlab/shared/contracts/bookings'
import { Button, CloseButton } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { meQuery } from '../api/queries.ts'
import { regionOf } from '../language/language.ts'
import { useNow, useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'
import { Refused } from './refused.tsx'
import { SeriesCancelled } from './series-cancelled.tsx'
import { useTimeZone } from './time-zone.ts'

/** What was cancelled on this page. */
export interface Cancelled {
  readonly booking: Booking
  /** With the booking the rest of its series, so many in all. */
  readonly times?: number
}

/** Says what was cancelled, and takes it back while it is free. */
export function CancelledNotice({ booking, times, onClose }: Cancelled & { readonly onClose: () => void }) {
  return times === undefined || booking.series === undefined ? (
    <OneCancelled booking={booking} onClose={onClose} />
  ) : (
    <SeriesCancelled booking={booking} series={booking.series} times={times} onClose={onClose} />
  )
}

function OneCancelled({ booking, onClose }: { booking: Booking; onClose: () => void }) {
  const { t, text, language } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [timeZone] = useTimeZone()
  const [key, setKey] = useState(idempotencyKey)
  const nowMs = useNow(10_000)
  const box = useRef<HTMLDivElement>(null)
  const own = useQuery(meQuery(api)).data?.id === booking.person.id
  const [start, end] = [Date.parse(booking.start), Date.parse(booking.end)]
  const again = useMutation({
    mutationFn: ({ at, seconds }: { at: number; seconds: number }) => {
      const { lab, bench, places, group, note } = booking
      const body: Book = {
        lab,
        start: new Date(at).toISOString(),
        seconds,
        places,
        ...(bench === undefined ? {} : { bench }),
        ...(group === undefined ? {} : { group: group.id }),
        ...(note === undefined ? {} : { note }),
      }
      return api.send<Booking>('POST', '/api/v1/bookings', body, { 'idempotency-key': key })
    },
    // The hub keeps the answer of a key: another try asks anew.
    onError: () => setKey(idempotencyKey()),
    onSuccess: () => {
      box.current?.focus()
      void bookingsChanged(client)
    },
  })
  // What had the focus went with the booking.
  useEffect(() => box.current?.focus(), [])
  const shown = again.data ?? booking
  const when = spanText(Date.parse(shown.start), Date.parse(shown.end), regionOf(language), timeZone)
  const said = { lab: text(booking.labTitle) || booking.lab, when }
  /** What of the same time is still to come. */
  const takeBack = () => {
    const at = Math.max(start, Date.now())
    again.mutate({ at, seconds: Math.floor((end - at) / 1000) })
  }
  const seconds = again.variables?.seconds ?? booking.seconds
  return (
    <div ref={box} tabIndex={-1} className={styles.cancelled}>
      <p role="status">{t(again.isSuccess ? 'booking.isBack' : 'booking.isCancelled', said)}</p>
      {own && !again.isSuccess && end - nowMs >= SHORTEST_BOOKING_S * 1000 ? (
        <Button size="xs" variant="default" loading={again.isPending} onClick={takeBack}>
          {t('booking.takeBack')}
        </Button>
      ) : null}
      <CloseButton aria-label={t('common.close')} onClick={onClose} />
      {again.error === null ? null : (
        <Refused
          error={again.error}
          lengthMs={seconds * 1000}
          timeZone={timeZone}
          pending={again.isPending}
          onTake={(at) => again.mutate({ at: Math.max(at, Date.now()), seconds })}
        />
      )}
    </div>
  )
}
