import type { Group, GroupMember, GroupRemoval } from '@fernlab/shared/contracts/groups'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { type Page, queryString } from '../api/queries.ts'

const v1 = '/api/v1/groups'

/** All groups that the person may see, for lists and choices. */
export const groupsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['groups', 'list'],
    queryFn: async ({ signal }) => {
      const items: Group[] = []
      let cursor: string | undefined
      do {
        const page = await api.get<Page<Group>>(`${v1}${queryString({ limit: 200, cursor })}`, signal)
        items.push(...page.items)
        cursor = page.cursor
      } while (cursor !== undefined)
      return items
    },
  })

export const groupQuery = (api: Api, id: string) =>
  queryOptions({ queryKey: ['groups', 'one', id], queryFn: ({ signal }) => api.get<Group>(`${v1}/${id}`, signal) })

/** Those of groups within it too; with a text, those whose name or address contains it. */
export const groupMembersQuery = (api: Api, id: string, q = '') =>
  infiniteQueryOptions({
    queryKey: ['groups', 'members', id, q],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<GroupMember>>(
        `${v1}/${id}/members${queryString({ limit: 50, inner: 'true', q: q === '' ? undefined : q, cursor: pageParam })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    // What was found stays until there is something else.
    placeholderData: keepPreviousData,
  })

export const groupRemovalQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['groups', 'removal', id],
    queryFn: ({ signal }) => api.get<GroupRemoval>(`${v1}/${id}/removal`, signal),
    staleTime: 0,
  })
