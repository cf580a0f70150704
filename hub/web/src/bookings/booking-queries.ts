import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'

const v1 = '/api/v1'

/** Times as ISO text; those that touch the time between them. */
export interface BookingFilter {
  /** Without it staff see everybody's, others their own. */
  readonly person?: string | undefined
  readonly lab?: string | undefined
  readonly series?: string | undefined
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
    refetchInterval: 30_000,
  })

/** The person's next bookings, the one that is on first. */
export const nextBookingsQuery = (api: Api, person: string) =>
  queryOptions({
    queryKey: ['bookings', 'next', person],
    queryFn: ({ signal }) => api.get<Page<Booking>>(`${v1}/bookings${queryString({ person, limit: 50 })}`, signal),
    select: ({ items }): readonly Booking[] => items.filter(isOpen),
    refetchInterval: 30_000,
  })

/** Epoch ms. */
export const calendarQuery = (api: Api, lab: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['bookings', 'calendar', lab, from, to],
    queryFn: ({ signal }) =>
      api.get<Calendar>(
        `${v1}/labs/${lab}/calendar${queryString({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })}`,
        signal,
      ),
    refetchInterval: 30_000,
  })

/** To come or on. */
export const isOpen = ({ state }: Pick<Booking, 'state'>): boolean => state === 'booked' || state === 'now'

/** After a booking was made, changed or cancelled. */
export const bookingsChanged = (client: QueryClient): Promise<void> =>
  client.invalidateQueries({ queryKey: ['bookings'] })
