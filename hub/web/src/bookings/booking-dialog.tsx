import type { Booking } from '@fernlab/shared/contracts/bookings'
import { Button, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { regionOf } from '../language/language.ts'
import dialog from '../notices/dialog.module.css'
import { useFocusBack } from '../notices/use-focus-back.ts'
import { useWords } from '../words/use-words.ts'
import { BookingForm } from './booking-form.tsx'
import { spanText } from './booking-times.ts'
import { CalendarFile } from './calendar-file.tsx'
import { CancelBooking } from './cancel-booking.tsx'
import { CancelSeries } from './cancel-series.tsx'
import type { Cancelled } from './cancelled-notice.tsx'
import { useTimeZone } from './time-zone.ts'

interface Props {
  /** The booking to change; without it, one is made. */
  readonly booking?: Booking | undefined
  /** One to book again: the same at another time. */
  readonly again?: Booking | undefined
  /** Of which lab; chosen in the dialog unless given. */
  readonly lab?: string | undefined
  /** When it is to begin, epoch ms; the first free time unless given. */
  readonly start?: number | undefined
  /** How long; an hour unless given. */
  readonly minutes?: number | undefined
  /** Undefined where nobody says so. */
  readonly onCancelled?: ((cancelled: Cancelled) => void) | undefined
  readonly onClose: () => void
}

/** Asks for a time of a lab, or changes one, and says what was booked. */
export default function BookingDialog({ booking, again, lab: asked, start, minutes, onCancelled, onClose }: Props) {
  useFocusBack()
  const { t, text } = useWords()
  const given = again?.lab ?? asked
  const labs = useQuery(labsQuery(useApi()))
  const [chosen, setChosen] = useState<string>()
  const [done, setDone] = useState<Booking>()
  const [cancelling, setCancelling] = useState<'one' | 'series'>()
  const offered = (labs.data?.items ?? []).filter(({ benches }) => benches.length > 0)
  const lab = booking?.lab ?? given ?? chosen ?? offered[0]?.id
  const called = text(booking?.labTitle ?? labs.data?.items.find(({ id }) => id === lab)?.title) || lab || ''
  const title =
    done !== undefined
      ? t('booking.done')
      : booking !== undefined
        ? t('booking.changeTitle', { lab: called })
        : given === undefined
          ? t('booking.book')
          : t('booking.bookLab', { lab: called })
  if (booking !== undefined && cancelling === 'one') {
    return <CancelBooking booking={booking} onCancelled={onCancelled} onClose={onClose} />
  }
  if (booking?.series !== undefined && cancelling === 'series') {
    return (
      <CancelSeries
        series={booking.series}
        called={called}
        onCancelled={(times) => onCancelled?.({ booking, times })}
        onClose={onClose}
      />
    )
  }
  return (
    <Modal opened onClose={onClose} size="lg" title={title} closeButtonProps={{ 'aria-label': t('common.close') }}>
      {done !== undefined ? (
        <Done booking={done} called={called} onClose={onClose} />
      ) : lab === undefined ? null : (
        <BookingForm
          lab={lab}
          booking={booking}
          like={again}
          start={start}
          minutes={minutes}
          labs={booking === undefined && given === undefined ? offered : []}
          benches={labs.data?.items.find(({ id }) => id === lab)?.benches ?? []}
          onLab={setChosen}
          onClose={onClose}
          onCancel={setCancelling}
          onDone={(made) => (booking === undefined ? setDone(made) : onClose())}
        />
      )}
    </Modal>
  )
}

function Done({ booking, called, onClose }: { booking: Booking; called: string; onClose: () => void }) {
  const { t, language } = useWords()
  const [timeZone] = useTimeZone()
  const when = spanText(Date.parse(booking.start), Date.parse(booking.end), regionOf(language), timeZone)
  return (
    <div className={dialog.content}>
      <p role="status">{t('booking.doneText', { lab: called, when })}</p>
      <div className={dialog.buttons}>
        <CalendarFile />
        <LinkButton to="/calendar/bookings" variant="default" onClick={onClose}>
          {t('booking.toMine')}
        </LinkButton>
        <Button data-autofocus onClick={onClose}>
          {t('common.close')}
        </Button>
      </div>
    </div>
  )
}
