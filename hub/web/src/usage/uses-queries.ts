import type { Use, UseDetail } from '@fernlab/shared/contracts/usage'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'
import { dayAt, nextDay } from './period.ts'

/** What of the address says which uses are listed; days as a date field names them, both included. */
export interface UsesSearch {
  readonly course?: string
  readonly person?: string
  readonly lab?: string
  readonly bench?: string
  readonly state?: string
  readonly country?: string
  readonly from?: string
  readonly until?: string
}

const path = '/api/v1/usage/uses'

/** As the API takes it: the days in the person's own zone. */
export const filterOf = ({ from, until, ...rest }: UsesSearch) => {
  const [first, last] = [dayAt(from), dayAt(until)]
  return {
    ...rest,
    from: first?.toISOString(),
    to: last === undefined ? undefined : nextDay(last).toISOString(),
  }
}

/** The uses that fit, newest first. */
export const usesQuery = (api: Api, search: UsesSearch) =>
  infiniteQueryOptions({
    queryKey: ['usage', 'uses', search],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Use>>(`${path}${queryString({ limit: 50, ...filterOf(search), cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (previous) => previous,
  })

/** Where the uses that fit are as a table. */
export const usesCsv = (search: UsesSearch): string => `${path}.csv${queryString(filterOf(search))}`

export const oneUseQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['usage', 'use', id],
    queryFn: ({ signal }) => api.get<UseDetail>(`${path}/${id}`, signal),
  })

/** Where what was done in a use is as a table. */
export const tableOfUse = (id: string, table: 'commands' | 'files'): string => `${path}/${id}/${table}.csv`
