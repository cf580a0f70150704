import type { NextTimes, Recurring } from '@fernlab/shared/contracts/recurring'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'

const v1 = '/api/v1'

export const recurringQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['recurring', 'one', id],
    queryFn: ({ signal }) => api.get<Recurring>(`${v1}/recurring/${id}`, signal),
    refetchInterval: 10_000,
  })

/** Without a person staff see everybody's, others their own. */
export const recurringListQuery = (api: Api, person: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['recurring', 'list', person],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Recurring>>(`${v1}/recurring${queryString({ limit: 50, person, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    refetchInterval: 10_000,
  })

export interface TimesAsked {
  readonly cron: string
  readonly timeZone: string
  readonly from: string | undefined
  readonly until: string | undefined
}

export const nextTimesQuery = (api: Api, { cron, timeZone, from, until }: TimesAsked) =>
  queryOptions({
    queryKey: ['recurring', 'times', cron, timeZone, from, until],
    queryFn: ({ signal }) =>
      api.get<NextTimes>(`${v1}/recurring-times${queryString({ cron, timeZone, from, until })}`, signal),
    retry: false,
  })
