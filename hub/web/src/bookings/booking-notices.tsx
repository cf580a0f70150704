import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import { Button, CloseButton } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { regionOf } from '../language/language.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { bookingNoticesQuery } from './booking-queries.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'
import { useTimeZone } from './time-zone.ts'

/** What leaves its person without the time that they had. */
const lost: ReadonlySet<BookingNotice['what']> = new Set(['missed', 'broken', 'cancelled'])

/** What staff or a bench did to my bookings, until I put it away. */
export function BookingNotices() {
  const { t, text, language, reason } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [timeZone] = useTimeZone()
  const [again, setAgain] = useState<BookingNotice>()
  const found = useQuery(bookingNoticesQuery(api))
  const putAway = useMutation({
    mutationFn: ({ id }: BookingNotice) => api.send('POST', `/api/v1/bookings/notices/${id}/put-away`),
    onSettled: () => client.invalidateQueries({ queryKey: ['bookings', 'notices'] }),
  })
  const items = found.data?.items ?? []
  const span = (start: string, end: string) =>
    spanText(Date.parse(start), Date.parse(end), regionOf(language), timeZone)
  if (items.length === 0) return found.error === null ? null : <ProblemNotice error={found.error} />
  return (
    <section className={styles.section} aria-labelledby="notices">
      <h2 id="notices">{t('booking.notices')}</h2>
      {putAway.error === null ? null : <ProblemNotice error={putAway.error} />}
      <ul className={styles.notices}>
        {items.map((notice) => {
          const lab = text(notice.labTitle) || notice.lab
          const when = span(notice.start, notice.end)
          return (
            <li key={notice.id} data-what={notice.what}>
              <span className={styles.noticeText}>
                {t(`booking.notice.${notice.what}`, {
                  lab,
                  when,
                  by: notice.by ?? t('booking.staff'),
                  before: notice.before === undefined ? '' : span(notice.before.start, notice.before.end),
                  count: notice.times ?? 1,
                })}
                {notice.reason === undefined ? null : <span className={styles.more}>{reason(notice.reason)}</span>}
              </span>
              {lost.has(notice.what) ? (
                <Button size="xs" variant="default" onClick={() => setAgain(notice)}>
                  {t('booking.another')}
                </Button>
              ) : null}
              {notice.what === 'not-permitted' ? (
                <Link to="/labs/$labId" params={{ labId: notice.lab }}>
                  {t('booking.whatIMay')}
                </Link>
              ) : null}
              <CloseButton
                aria-label={`${t('booking.putAway')}: ${lab}, ${when}`}
                disabled={putAway.isPending}
                onClick={() => putAway.mutate(notice)}
              />
            </li>
          )
        })}
      </ul>
      {again === undefined ? null : (
        <BookingDialog
          lab={again.lab}
          minutes={(Date.parse(again.end) - Date.parse(again.start)) / 60_000}
          onClose={() => setAgain(undefined)}
        />
      )}
    </section>
  )
}
