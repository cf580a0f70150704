import type { LabDetail } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { IconCalendarPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { nextBookingsQuery } from '../bookings/booking-queries.ts'
import { withTexts } from '../language/late-texts.ts'
import { useWords } from '../words/use-words.ts'
import styles from './lab.module.css'

const BookingDialog = lazy(() => withTexts(['bookings'], () => import('../bookings/booking-dialog.tsx')))

/** Beside the form of a lab: keeps a bench for later, and says for when one is kept already. */
export function BookTime({ lab, person }: { lab: LabDetail; person: string }) {
  const { t, soonTime } = useWords()
  const [opened, setOpened] = useState(false)
  const mine = useQuery(nextBookingsQuery(useApi(), person)).data?.find((booking) => booking.lab === lab.id)
  return (
    <section className={styles.live} aria-label={t('lab.book')}>
      {mine === undefined ? null : (
        <p>
          <Link to="/calendar/bookings">{t('lab.booked', { time: soonTime(mine.start) })}</Link>
        </p>
      )}
      <Button
        size="md"
        fullWidth
        variant="default"
        leftSection={<IconCalendarPlus size={18} aria-hidden="true" />}
        onClick={() => setOpened(true)}
      >
        {t('lab.book')}
      </Button>
      {opened ? (
        <Suspense>
          <BookingDialog lab={lab.id} onClose={() => setOpened(false)} />
        </Suspense>
      ) : null}
    </section>
  )
}
