/** What is refused of a booking, with the field that is to be mended. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { KnownBooking } from './booking-book.ts'
import type { Nearest } from './free-times.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

/** A caller's mistake. */
export function refuse(code: string, message: string, path: string, studentMessage?: string): LabError {
  return new LabError({
    code,
    kind: 'caller',
    message,
    issues: [{ path, message }],
    ...(studentMessage === undefined ? {} : { studentMessage }),
  })
}

/** There is no such booking. */
export function unknownBooking(id: string): LabError {
  return refuse('booking-unknown', `there is no booking ${id}`, '')
}

/** It is over, or was cancelled. */
export function bookingOver(id: string): LabError {
  return refuse('booking-over', `booking ${id} is over or was cancelled`, '', 'This booking is over.')
}

/** The time is taken; says which others are not. */
export function timeTaken(wanted: KnownBooking, nearest: Nearest): LabError {
  const times = [nearest.before, nearest.after].flatMap((at) => (at === undefined ? [] : [iso(at)]))
  const found =
    times.length === 0 ? 'nothing is free near it' : `the nearest free times begin at ${times.join(' and ')}`
  const what = wanted.places === 1 ? 'no bench is' : `not as many as ${wanted.places} benches are`
  const message = `${what} free from ${iso(wanted.startsAt)} to ${iso(wanted.endsAt)}; ${found}`
  return new LabError({
    code: 'booking-conflict',
    kind: 'caller',
    message,
    issues: [{ path: 'start', message }],
    studentMessage: 'Somebody else has booked this time. Choose another.',
    details: isoOf(nearest),
  })
}

/** Times of a series are taken. */
export function seriesConflict(conflicts: readonly { start: string }[], all: number): LabError {
  const message = `${conflicts.length} of ${all} times are taken`
  return new LabError({
    code: 'booking-conflict',
    kind: 'caller',
    message,
    issues: conflicts.map(({ start }) => ({ path: 'weekly', message: `no bench is free at ${start}` })),
    studentMessage: `${message}. Choose another time, or book those that are free.`,
  })
}

/** As it is told. */
export const isoOf = ({ before, after }: Nearest): { before?: string; after?: string } => ({
  ...(before === undefined ? {} : { before: iso(before) }),
  ...(after === undefined ? {} : { after: iso(after) }),
})
