import type { LabSummary } from '@fernlab/shared/contracts/api'
import type { Book, Booking, ChangeBooking } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { meQuery } from '../api/queries.ts'
import { GroupSelect } from '../groups/group-select.tsx'
import { regionOf } from '../language/language.ts'
import dialog from '../notices/dialog.module.css'
import { useWords } from '../words/use-words.ts'
import { bookingsChanged } from './booking-queries.ts'
import { isFree, spanText, wallInstant, wallText } from './booking-times.ts'
import styles from './bookings.module.css'
import { FreeOfDay } from './free-of-day.tsx'
import { LengthField, secondsOf } from './length-field.tsx'
import { MayBook, useMayBook } from './may-book.tsx'
import { Refused } from './refused.tsx'
import { useTimeZone } from './time-zone.ts'
import { useFirstFree, useFreeDay } from './use-free.ts'

interface Props {
  readonly lab: string
  /** What is changed; without it, a booking is made. */
  readonly booking: Booking | undefined
  readonly start: number | undefined
  /** Those to choose from; none: it is settled. */
  readonly labs: readonly LabSummary[]
  readonly onLab: (lab: string) => void
  readonly onDone: (booking: Booking) => void
  readonly onClose: () => void
  /** For the booking that is changed. */
  readonly onCancel: (what: 'one' | 'series') => void
}

/** When, for how long and what for; what is free that day, and what may be booked. */
export function BookingForm({ lab, booking, start: given, labs, onLab, onDone, onClose, onCancel }: Props) {
  const { t, text, language } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [timeZone] = useTimeZone()
  const staff = isStaff(useQuery(meQuery(api)).data?.role)
  const begun = booking?.state === 'now'
  const [values, setValues] = useState({
    /** Epoch ms, as it was chosen: an hour that the clocks show twice is two. */
    chosen: given ?? (booking === undefined ? undefined : Date.parse(booking.start)),
    /** Instead, as it was typed. */
    typed: undefined as string | undefined,
    minutes: String((booking?.seconds ?? 3600) / 60),
    places: '1',
    /** Empty: nobody besides. */
    group: '',
    note: booking?.note ?? '',
  })
  const [key, setKey] = useState(idempotencyKey)
  const seconds = secondsOf(values.minutes)
  const places = Number(values.places)
  const placesBad = !Number.isInteger(places) || places < 1 || places > 50
  const lengthMs = (seconds ?? 0) * 1000
  const firstFree = useFirstFree(lab, lengthMs, placesBad ? 1 : places)
  const startMs = values.typed === undefined ? (values.chosen ?? firstFree) : wallInstant(values.typed, timeZone)
  const shown = values.typed ?? (startMs === undefined ? '' : wallText(startMs, timeZone))
  const spans = useFreeDay(lab, startMs, timeZone, placesBad ? 1 : places, booking)
  const may = useMayBook(lab)
  const set = (more: Partial<typeof values>) => {
    setValues((before) => ({ ...before, ...more }))
    setKey(idempotencyKey())
    if (save.error !== null) save.reset()
  }
  const save = useMutation({
    mutationFn: (at: number) => {
      const [start, note] = [new Date(at).toISOString(), values.note.trim()]
      if (booking === undefined) {
        const { group } = values
        const body: Book = {
          lab,
          start,
          seconds: seconds ?? 0,
          places,
          ...(group === '' ? {} : { group }),
          ...(note === '' ? {} : { note }),
        }
        return api.send<Booking>('POST', '/api/v1/bookings', body, { 'idempotency-key': key })
      }
      const body: ChangeBooking = { ...(begun ? {} : { start }), seconds: seconds ?? 0, note }
      return api.send<Booking>('PUT', `/api/v1/bookings/${booking.id}`, body)
    },
    onSuccess: (made) => {
      void bookingsChanged(client)
      onDone(made)
    },
    // The hub keeps the answer of a key: another try asks anew.
    onError: () => setKey(idempotencyKey()),
  })
  const take = (at: number) => {
    setValues((before) => ({ ...before, chosen: at, typed: undefined }))
    save.mutate(at)
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (startMs !== undefined && seconds !== undefined && !placesBad) save.mutate(startMs)
    else (event.currentTarget.querySelector('[aria-invalid="true"]') as HTMLElement | null)?.focus()
  }
  return (
    <form className={dialog.content} onSubmit={send} noValidate>
      {labs.length === 0 ? null : (
        <NativeSelect
          label={t('booking.lab')}
          value={lab}
          data={labs.map(({ id, title }) => ({ value: id, label: text(title) }))}
          onChange={(event) => {
            onLab(event.currentTarget.value)
            set({})
          }}
        />
      )}
      {booking === undefined ? <MayBook may={may} /> : null}
      <div className={styles.times}>
        <TextInput
          type="datetime-local"
          label={t('booking.start')}
          data-autofocus
          disabled={begun}
          value={shown}
          error={startMs === undefined && values.typed !== undefined ? t('booking.startBad') : undefined}
          onChange={(event) => set({ typed: event.currentTarget.value })}
        />
        <LengthField minutes={values.minutes} onChange={(minutes) => set({ minutes })} />
        {staff && booking === undefined ? (
          <TextInput
            label={t('booking.benches')}
            inputMode="numeric"
            value={values.places}
            error={placesBad ? t('booking.benchesBad') : undefined}
            onChange={(event) => set({ places: event.currentTarget.value })}
          />
        ) : null}
      </div>
      {!staff ? null : booking === undefined ? (
        <GroupSelect
          label={t('booking.group')}
          none={t('booking.noGroup')}
          value={values.group}
          onChange={(event) => set({ group: event.currentTarget.value })}
        />
      ) : (
        <p>{[booking.person.name, booking.group?.name].filter((name) => name !== undefined).join(' · ')}</p>
      )}
      {begun ? <p className="soft">{t('booking.begun')}</p> : null}
      <p className="soft">{t('booking.times', { zone: timeZone })}</p>
      {spans === undefined || begun ? null : (
        <FreeOfDay spans={spans} timeZone={timeZone} onChoose={(at) => set({ chosen: at, typed: undefined })} />
      )}
      <TextInput
        label={t('booking.note')}
        description={t('booking.noteHelp')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={200}
        value={values.note}
        onChange={(event) => set({ note: event.currentTarget.value })}
      />
      <p aria-live="polite" className={styles.says}>
        {startMs === undefined || seconds === undefined || spans === undefined
          ? ''
          : t(saying(startMs, lengthMs, spans), {
              when: spanText(startMs, startMs + lengthMs, regionOf(language), timeZone),
            })}
      </p>
      {save.error === null ? null : (
        <Refused error={save.error} lengthMs={lengthMs} timeZone={timeZone} pending={save.isPending} onTake={take} />
      )}
      <div className={dialog.buttons}>
        {booking === undefined ? null : (
          <span className={styles.apart}>
            <Button variant="subtle" color="red" onClick={() => onCancel('one')}>
              {t('booking.cancel')}
            </Button>
            {staff && booking.series !== undefined ? (
              <Button variant="subtle" color="red" onClick={() => onCancel('series')}>
                {t('booking.series.cancel')}
              </Button>
            ) : null}
          </span>
        )}
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" loading={save.isPending} disabled={may?.may === false}>
          {booking === undefined ? t('booking.book') : t('common.save')}
        </Button>
      </div>
    </form>
  )
}

function saying(startMs: number, lengthMs: number, spans: Parameters<typeof isFree>[0]) {
  if (startMs + lengthMs <= Date.now()) return 'booking.isOver'
  return isFree(spans, Math.max(startMs, Date.now()), startMs + lengthMs) ? 'booking.isFree' : 'booking.isTaken'
}
