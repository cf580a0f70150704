import type { AuditEntry, AuditFilter } from '@fernlab/shared/contracts/audit'
import { infiniteQueryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'

const path = '/api/v1/audit'

/** The entries that fit, newest first. */
export const auditQuery = (api: Api, filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<AuditEntry>>(`${path}${queryString({ limit: 50, ...filter, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (previous) => previous,
  })

/** Where the entries that fit are as a table. */
export const auditCsv = (filter: AuditFilter): string => `${path}.csv${queryString({ ...filter })}`
