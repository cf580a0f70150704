import type { CourseUsage, Similar, SiteUsage, Timeline } from '@fernlab/shared/contracts/usage'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { queryString } from '../api/queries.ts'

/** What a view looks back on, as the API takes it. */
export interface Asked extends Readonly<Record<string, string>> {
  readonly from: string
  readonly to: string
  readonly timeZone: string
}

const v1 = '/api/v1/usage'
const fresh = { placeholderData: keepPreviousData, staleTime: 30_000 }

/** Where a view is, also as a table: `people.csv`. */
export const coursePath = (course: string, view: string, asked: Asked): string =>
  `${v1}/courses/${course}${view}${queryString(asked)}`
export const sitePath = (view: string, asked: Asked): string => `${v1}/site${view}${queryString(asked)}`

export const courseUsageQuery = (api: Api, course: string, asked: Asked) =>
  queryOptions({
    queryKey: ['usage', 'course', course, asked],
    queryFn: ({ signal }) => api.get<CourseUsage>(coursePath(course, '', asked), signal),
    ...fresh,
  })

export const timelineQuery = (api: Api, course: string, asked: Asked) =>
  queryOptions({
    queryKey: ['usage', 'timeline', course, asked],
    queryFn: ({ signal }) => api.get<Timeline>(coursePath(course, '/timeline', asked), signal),
    ...fresh,
  })

export const similarQuery = (api: Api, course: string, asked: Asked) =>
  queryOptions({
    queryKey: ['usage', 'similar', course, asked],
    queryFn: ({ signal }) => api.get<Similar>(coursePath(course, '/similar', asked), signal),
    ...fresh,
  })

export const siteUsageQuery = (api: Api, asked: Asked) =>
  queryOptions({
    queryKey: ['usage', 'site', asked],
    queryFn: ({ signal }) => api.get<SiteUsage>(sitePath('', asked), signal),
    ...fresh,
  })
