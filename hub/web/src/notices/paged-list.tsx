import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Page } from '../api/queries.ts'
import { Loading } from './loading.tsx'
import { MoreButton } from './more-button.tsx'
import { ProblemNotice } from './problem-notice.tsx'

interface Props<Item> {
  readonly list: UseInfiniteQueryResult<InfiniteData<Page<Item>>>
  readonly className: string | undefined
  /** In place of a list of nothing. */
  readonly empty: ReactNode
  /** What gets the next page. */
  readonly more: string
  readonly children: (item: Item) => ReactNode
}

/** A list that comes page by page, from waiting for it to the way to its next page. */
export function PagedList<Item>({ list, className, empty, more, children }: Props<Item>) {
  const items = list.data?.pages.flatMap((page) => page.items)
  return (
    <>
      {list.error !== null ? (
        <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />
      ) : items === undefined ? (
        <Loading />
      ) : items.length === 0 ? (
        empty
      ) : (
        <ul className={className}>{items.map(children)}</ul>
      )}
      <MoreButton list={list}>{more}</MoreButton>
    </>
  )
}
