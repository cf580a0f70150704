import type { Booking } from '@fernlab/shared/contracts/bookings'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { regionOf } from '../language/language.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useFocusBack } from '../notices/use-focus-back.ts'
import { useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'
import { spanText } from './booking-times.ts'
import type { Cancelled } from './cancelled-notice.tsx'
import { useTimeZone } from './time-zone.ts'

interface Props {
  readonly booking: Booking
  readonly onCancelled?: ((cancelled: Cancelled) => void) | undefined
  readonly onClose: () => void
}

/** Asks before a booking is cancelled. */
export function CancelBooking({ booking, onCancelled, onClose }: Props) {
  useFocusBack()
  const { t, text, language } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [timeZone] = useTimeZone()
  const cancel = useMutation({
    mutationFn: () => api.send<Booking>('POST', `/api/v1/bookings/${booking.id}/cancel`),
    onSuccess: () => {
      void bookingsChanged(client)
      onCancelled?.({ booking })
      onClose()
    },
  })
  const when = spanText(Date.parse(booking.start), Date.parse(booking.end), regionOf(language), timeZone)
  const lab = text(booking.labTitle) || booking.lab
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t('booking.cancelTitle')}
      confirm={t('booking.cancel')}
      keep={t('booking.keep')}
      pending={cancel.isPending}
      error={cancel.error}
      onConfirm={() => cancel.mutate()}
    >
      <p>{t(booking.state === 'now' ? 'booking.cancelNow' : 'booking.cancelText', { lab, when })}</p>
    </ConfirmDialog>
  )
}
