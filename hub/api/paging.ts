import { z } from '@hono/zod-openapi'
import { refusal } from './problems.ts'

/** `?limit&cursor` of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})

/** The cursor of a list whose last item has the id. */
export const cursorAfter = (id: string): string => Buffer.from(id).toString('base64url')

/** The id that a cursor stands for. */
export function cursorId(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  const id = Buffer.from(cursor, 'base64url').toString()
  if (cursorAfter(id) !== cursor) throw refusal('cursor-invalid', 'the cursor is not one that this list gave out')
  return id
}

/** A page of a list that is held whole, sorted by id, which grows with time; the cursor survives what comes and goes. */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  order: 'ascending' | 'newest first' = 'ascending',
): { items: Item[]; cursor?: string } {
  const after = cursorId(cursor)
  const comesLater = (a: string, b: string) => (order === 'ascending' ? a > b : a < b)
  const sorted = [...items].sort((a, b) => (comesLater(a.id, b.id) ? 1 : -1))
  const rest = after === undefined ? sorted : sorted.filter(({ id }) => comesLater(id, after))
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown, ...(rest.length > limit && last !== undefined ? { cursor: cursorAfter(last.id) } : {}) }
}
