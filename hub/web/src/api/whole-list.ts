import type { Api } from './client.ts'

interface OnePage<T> {
  readonly items: readonly T[]
  readonly cursor?: string | undefined
}

/** The hub gives no more of a list at once. */
const MOST = 200

/** All of a list, page after page: for those that are shown whole, and of which what came first is not enough. */
export async function wholeList<T>(api: Pick<Api, 'get'>, path: string, signal?: AbortSignal): Promise<{ items: T[] }> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const after: string = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: OnePage<T> = await api.get<OnePage<T>>(
      `${path}${path.includes('?') ? '&' : '?'}limit=${MOST}${after}`,
      signal,
    )
    items.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return { items }
}
