import type { BookedSeries, Booking } from '@fernlab/shared/contracts/bookings'
import { Button, CloseButton } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'
import styles from './bookings.module.css'

interface Props {
  /** One of the series. */
  readonly booking: Booking
  readonly series: string
  readonly times: number
  readonly onClose: () => void
}

/** Says that a series was cancelled, and takes its times back as far as they are free. */
export function SeriesCancelled({ booking, series, times, onClose }: Props) {
  const { t, text } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const box = useRef<HTMLDivElement>(null)
  const own = useQuery(meQuery(api)).data?.id === booking.person.id
  const again = useMutation({
    mutationFn: () => api.send<BookedSeries>('POST', `/api/v1/booking-series/${series}/take-back`),
    onSuccess: () => {
      box.current?.focus()
      void bookingsChanged(client)
    },
  })
  // What had the focus went with the booking.
  useEffect(() => box.current?.focus(), [])
  const lab = text(booking.labTitle) || booking.lab
  const taken = again.data?.conflicts.length ?? 0
  return (
    <div ref={box} tabIndex={-1} className={styles.cancelled}>
      <p role="status">
        {again.data === undefined
          ? t('booking.series.cancelled', { lab, count: times })
          : t('booking.series.isBack', { lab, count: again.data.times.length })}
        {taken === 0 ? '' : ` ${t('booking.series.takenSince', { count: taken })}`}
      </p>
      {own && times > 0 && !again.isSuccess ? (
        <Button size="xs" variant="default" loading={again.isPending} onClick={() => again.mutate()}>
          {t('booking.series.takeBack')}
        </Button>
      ) : null}
      <CloseButton aria-label={t('common.close')} onClick={onClose} />
      {again.error === null ? null : <ProblemNotice error={again.error} />}
    </div>
  )
}
