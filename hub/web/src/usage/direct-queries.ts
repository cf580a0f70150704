import type { DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'
import { filterOf, type UsesSearch } from './uses-queries.ts'

/** What of the address says which direct uses are listed. */
export type DirectSearch = Omit<UsesSearch, 'lab' | 'state'>

const path = '/api/v1/usage/direct'

/** Benches that staff drove by hand, newest first. */
export const directUsesQuery = (api: Api, search: DirectSearch) =>
  infiniteQueryOptions({
    queryKey: ['usage', 'direct', search],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<DirectUse>>(`${path}${queryString({ limit: 50, ...filterOf(search), cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (previous) => previous,
  })

/** Where those that fit are as a table. */
export const directUsesCsv = (search: DirectSearch): string => `${path}.csv${queryString(filterOf(search))}`

export const directUseQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['usage', 'direct-use', id],
    queryFn: ({ signal }) => api.get<DirectUseDetail>(`${path}/${id}`, signal),
  })

/** Where all that was exchanged in one is as a table. */
export const exchangesCsv = (id: string): string => `${path}/${id}/exchanges.csv`
