import { page } from '@fernlab/shared/contracts/api'
import type { z } from 'zod'
import type { HubClient } from './hub-client.ts'

/** All items of a paged list, or the first `limit` of them. */
export async function allPages<Item extends z.ZodType>(
  client: HubClient,
  item: Item,
  path: string,
  { query = new URLSearchParams(), limit = Number.POSITIVE_INFINITY } = {},
): Promise<z.infer<Item>[]> {
  const items: z.infer<Item>[] = []
  let cursor: string | undefined
  do {
    query.set('limit', String(Math.min(limit - items.length, 100)))
    if (cursor !== undefined) query.set('cursor', cursor)
    const answer = (await client.call(page(item), `${path}?${query}`)) as { items: z.infer<Item>[]; cursor?: string }
    items.push(...answer.items)
    cursor = answer.cursor
  } while (cursor !== undefined && items.length < limit)
  return items
}
