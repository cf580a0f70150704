import type { EffectivePermission, Permission, PermissionTemplate } from '@fernlab/shared/contracts/permissions'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'

const v1 = '/api/v1'

/** What I may in the protocol of the lab now. */
export const mayQuery = (api: Api, lab: string, protocol: string) =>
  queryOptions({
    queryKey: ['may', lab, protocol],
    queryFn: ({ signal }) =>
      api.get<EffectivePermission>(`${v1}/labs/${lab}/permission${queryString({ protocol })}`, signal),
    refetchInterval: 30_000,
  })

/** What I may in the lab, whatever the protocol: bookings are of a lab. */
export const bookingMayQuery = (api: Api, lab: string) =>
  queryOptions({
    queryKey: ['may', lab],
    queryFn: ({ signal }) => api.get<EffectivePermission>(`${v1}/labs/${lab}/permission`, signal),
    refetchInterval: 30_000,
  })

export interface PermissionSearch {
  readonly lab?: string | undefined
  readonly kind?: string | undefined
}

export const permissionsQuery = (api: Api, search: PermissionSearch) =>
  infiniteQueryOptions({
    queryKey: ['permissions', search],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Permission>>(
        `${v1}/permissions${queryString({ limit: 100, ...search, cursor: pageParam })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (previous) => previous,
  })

export const templatesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['permission-templates'],
    queryFn: ({ signal }) => api.get<Page<PermissionTemplate>>(`${v1}/permission-templates`, signal),
  })
