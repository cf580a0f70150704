import type { BookedSeries, SeriesMove } from '@fernlab/shared/contracts/bookings'
import { movesWith } from '@fernlab/shared/contracts/series-moves'
import { Button, Modal } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import dialog from '../notices/dialog.module.css'
import { useFocusBack } from '../notices/use-focus-back.ts'
import { useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'
import { SeriesForm } from './series-form.tsx'
import { SeriesPreview } from './series-preview.tsx'
import { bodyOf, firstValues } from './series-values.ts'
import { useTimeZone } from './time-zone.ts'

interface Props {
  readonly lab: string
  readonly called: string
  readonly onClose: () => void
}

const path = '/api/v1/booking-series'

/** Books the same time of a lab every week, after a look at what is free. */
export function SeriesDialog({ lab, called, onClose }: Props) {
  useFocusBack()
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [timeZone] = useTimeZone()
  const [values, setValues] = useState(() => firstValues(Date.now(), timeZone))
  const [key, setKey] = useState(idempotencyKey)
  /** The times that are had at another one. */
  const [moved, setMoved] = useState<readonly SeriesMove[]>([])
  const body = { ...bodyOf(lab, values), ...(moved.length === 0 ? {} : { moved: [...moved] }) }
  const look = useMutation({
    mutationFn: (moves: readonly SeriesMove[]) =>
      api.send<BookedSeries>('POST', path, { ...bodyOf(lab, values), moved: [...moves], preview: true }),
    onSuccess: (found, moves) => {
      setMoved(moves)
      setSeen(found)
    },
  })
  /** What was found last, also while it is looked again. */
  const [seen, setSeen] = useState<BookedSeries>()
  const book = useMutation({
    // Where all was free, a time that somebody took meanwhile refuses the whole, so that it is seen.
    mutationFn: ({ conflicts }: BookedSeries) => {
      const sent = { ...body, conflicts: conflicts.length === 0 ? 'refuse' : 'skip' }
      return api.send<BookedSeries>('POST', path, sent, { 'idempotency-key': key })
    },
    onSuccess: () => void bookingsChanged(client),
    onError: () => {
      // The hub keeps the answer of a key: another try asks anew.
      setKey(idempotencyKey())
      look.mutate(moved)
    },
  })
  const back = () => {
    look.reset()
    book.reset()
    setMoved([])
    setSeen(undefined)
  }
  const move = (moves: readonly SeriesMove[]) => {
    setKey(idempotencyKey())
    book.reset()
    look.mutate(moves)
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={book.data === undefined ? t('booking.series.title', { lab: called }) : t('booking.done')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {book.data !== undefined ? (
        <div className={dialog.content}>
          <p role="status">{t('booking.series.done', { count: book.data.times.length, lab: called })}</p>
          <div className={dialog.buttons}>
            <Button data-autofocus onClick={onClose}>
              {t('common.close')}
            </Button>
          </div>
        </div>
      ) : seen === undefined ? (
        <SeriesForm
          values={values}
          onChange={(change) => setValues((before) => ({ ...before, ...change }))}
          pending={look.isPending}
          error={look.error}
          onLook={() => look.mutate([])}
          onClose={onClose}
        />
      ) : (
        <SeriesPreview
          found={seen}
          timeZone={values.timeZone}
          pending={book.isPending || look.isPending}
          error={book.error ?? look.error}
          onMove={(moves) => move(movesWith(moved, moves))}
          onPutBack={(from) => move(moved.filter((one) => Date.parse(one.from) !== Date.parse(from)))}
          onBack={back}
          onBook={() => book.mutate(seen)}
        />
      )}
    </Modal>
  )
}
