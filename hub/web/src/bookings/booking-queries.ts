import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { BookingWhen } from '@fernlab/shared/contracts/booking-whens'
import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'
import { nextLookMs } from './next-look.ts'

const v1 = '/api/v1'

/** Times as ISO text; those that touch the time between them. */
export interface BookingFilter {
  /** Without it staff see everybody's, others their own. */
  readonly person?: string | undefined
  readonly lab?: string | undefined
  readonly series?: string | undefined
  readonly when?: BookingWhen | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly order?: 'soonest' | 'latest' | undefined
  readonly limit?: number | undefined
}

export const bookingsQuery = (api: Api, filter: BookingFilter) =>
  infiniteQueryOptions({
    queryKey: ['bookings', 'list', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Booking>>(`${v1}/bookings${queryString({ limit: 25, ...filter, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    refetchInterval: ({ state }) => nextLookMs(state.data?.pages.flatMap(({ items }) => items) ?? [], Date.now()),
  })

/** The person's next bookings, the one that is on first. */
export const nextBookingsQuery = (api: Api, person: string) =>
  queryOptions({
    queryKey: ['bookings', 'next', person],
    queryFn: ({ signal }) => api.get<Page<Booking>>(`${v1}/bookings${queryString({ person, limit: 50 })}`, signal),
    select: ({ items }): readonly Booking[] => items.filter(isOpen),
    refetchInterval: ({ state }) => nextLookMs(state.data?.items ?? [], Date.now()),
  })

export const bookingQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['bookings', 'one', id],
    queryFn: ({ signal }) => api.get<Booking>(`${v1}/bookings/${id}`, signal),
  })

/** What became of one's bookings, until it is put away. */
export const bookingNoticesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['bookings', 'notices'],
    queryFn: ({ signal }) => api.get<{ items: readonly BookingNotice[] }>(`${v1}/bookings/notices`, signal),
    refetchInterval: 30_000,
  })

interface CalendarOf {
  readonly lab: string
  /** What of this one alone is free. */
  readonly bench?: string | undefined
  /** Epoch ms. */
  readonly from: number
  readonly to: number
}

export const calendarQuery = (api: Api, { lab, bench, from, to }: CalendarOf) => {
  const asked = { bench, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
  return queryOptions({
    queryKey: ['bookings', 'calendar', lab, asked],
    queryFn: ({ signal }) => api.get<Calendar>(`${v1}/labs/${lab}/calendar${queryString(asked)}`, signal),
    refetchInterval: 30_000,
  })
}

/** To come or on. */
export const isOpen = ({ state }: Pick<Booking, 'state'>): boolean => state === 'booked' || state === 'now'

/** After a booking was made, changed or cancelled. */
export const bookingsChanged = async (client: QueryClient): Promise<void> => {
  await Promise.all([
    client.invalidateQueries({ queryKey: ['bookings'] }),
    // What is left to book is another amount now.
    client.invalidateQueries({ queryKey: ['may'] }),
  ])
}
