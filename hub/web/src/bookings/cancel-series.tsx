import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useFocusBack } from '../notices/use-focus-back.ts'
import { useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'

interface Props {
  readonly series: string
  readonly called: string
  /** How many bookings that were. */
  readonly onCancelled: (times: number) => void
  readonly onClose: () => void
}

/** Asks before what is left of a weekly series is cancelled. */
export function CancelSeries({ series, called, onCancelled, onClose }: Props) {
  useFocusBack()
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => api.send<{ cancelled: number }>('POST', `/api/v1/booking-series/${series}/cancel`),
    onSuccess: ({ cancelled }) => {
      void bookingsChanged(client)
      onCancelled(cancelled)
      onClose()
    },
  })
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t('booking.series.cancelTitle')}
      confirm={t('booking.series.cancel')}
      keep={t('booking.series.keep')}
      pending={cancel.isPending}
      error={cancel.error}
      onConfirm={() => cancel.mutate()}
    >
      <p>{t('booking.series.cancelText', { lab: called })}</p>
    </ConfirmDialog>
  )
}
