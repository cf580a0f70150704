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
import dialog from '../notices/dialog.module.css'
import { useWords } from '../words/use-words.ts'
import { BenchSelect } from './bench-select.tsx'
import { bookingsChanged } from './booking-queries.ts'
import { wallInstant, wallText } from './booking-times.ts'
import styles from './bookings.module.css'
import { FreeOfDay } from './free-of-day.tsx'
import { FreeSays } from './free-says.tsx'
import { firstMinutes, LengthField, secondsOf } from './length-field.tsx'
import { LetterPlace } from './letter-place.tsx'
import { MayBook, useMayBook } from './may-book.tsx'
import { Refused } from './refused.tsx'
import { useTimeZone } from './time-zone.ts'
import { type FreeDay, useFirstFree, useFreeDay, useSameTime } from './use-free.ts'

interface Props {
  readonly lab: string
  /** What is changed; without it, a booking is made. */
  readonly booking: Booking | undefined
  /** One that is booked again, at the next free time at the same time of day. */
  readonly like: Booking | undefined
  readonly start: number | undefined
  /** How long; an hour unless given. */
  readonly minutes: number | undefined
  /** Those to choose from; none: it is settled. */
  readonly labs: readonly LabSummary[]
  /** Of the lab. */
  readonly benches: LabSummary['benches']
  readonly onLab: (lab: string) => void
  readonly onDone: (booking: Booking) => void
  readonly onClose: () => void
  /** For the booking that is changed. */
  readonly onCancel: (what: 'one' | 'series') => void
}

/** When, for how long and what for; what is free that day, and what may be booked. */
export function BookingForm({
  lab,
  booking,
  like,
  start: given,
  minutes: asked,
  labs,
  benches,
  onLab,
  onDone,
  onClose,
  onCancel,
}: Props) {
  const { t, text } = useWords()
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
    /** Until it is chosen: an hour, or what is the most. */
    minutes: (booking === undefined ? asked : booking.seconds / 60)?.toString(),
    /** Empty: any. */
    bench: like?.bench ?? '',
    places: String(like?.places ?? 1),
    /** Empty: nobody besides. */
    group: like?.group?.id ?? '',
    note: (booking ?? like)?.note ?? '',
  })
  const [key, setKey] = useState(idempotencyKey)
  const may = useMayBook(lab)
  const longestS = booking === undefined ? may?.longestS : null
  const asBefore = like && String(Math.min(like.seconds, longestS ?? like.seconds) / 60)
  const usual = values.minutes ?? asBefore ?? firstMinutes(longestS)
  const places = Number(values.places)
  const placesBad = !Number.isInteger(places) || places < 1 || places > 50
  // One that is gone is not asked for again.
  const bench = benches.some(({ id }) => id === values.bench) ? values.bench : ''
  const wish = { lab, bench: booking?.bench ?? (bench || undefined), places: placesBad ? 1 : places }
  const usualMs = (secondsOf(usual) ?? 0) * 1000
  const firstFree = useFirstFree(wish, usualMs)
  const sameTime = useSameTime(like, wish, { lengthMs: usualMs, timeZone, aheadS: may?.aheadS ?? null })
  const proposed = sameTime === null ? firstFree : sameTime
  const startMs = values.typed === undefined ? (values.chosen ?? proposed) : wallInstant(values.typed, timeZone)
  const shown = values.typed ?? (startMs === undefined ? '' : wallText(startMs, timeZone))
  const free = useFreeDay(wish, { at: startMs, lengthMs: usualMs, timeZone }, booking)
  const roomS = startMs === undefined ? undefined : roomFrom(free, startMs)
  const minutes = values.minutes ?? asBefore ?? firstMinutes(longestS, roomS)
  const seconds = secondsOf(minutes)
  const lengthMs = (seconds ?? 0) * 1000
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
          ...(bench === '' ? {} : { bench }),
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
      <LetterPlace />
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
        <LengthField
          minutes={minutes}
          longestS={longestS}
          roomS={begun ? undefined : roomS}
          prepareS={free?.prepareS}
          onChange={(typed) => set({ minutes: typed })}
        />
        {booking === undefined ? (
          <BenchSelect benches={benches} value={bench} onChange={(chosen) => set({ bench: chosen })} />
        ) : null}
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
      {free === undefined || begun ? null : (
        <FreeOfDay
          free={free}
          timeZone={timeZone}
          onChoose={(at, roomMs) => {
            const fits = roomMs >= lengthMs ? {} : { minutes: firstMinutes(longestS, roomMs / 1000) }
            set({ chosen: at, typed: undefined, ...fits })
          }}
        />
      )}
      <TextInput
        label={t('booking.note')}
        description={t('booking.noteHelp')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={200}
        value={values.note}
        onChange={(event) => set({ note: event.currentTarget.value })}
      />
      <FreeSays free={free} startMs={startMs} lengthMs={lengthMs} timeZone={timeZone} />
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

/** How long it can be from then on; undefined where it can not begin then, or that is not known. */
function roomFrom(free: FreeDay | undefined, startMs: number): number | undefined {
  const span = free?.spans.find(({ from, until }) => from <= startMs && startMs < until)
  return span && (span.until - startMs) / 1000
}
