import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

interface Props {
  readonly list: {
    readonly hasNextPage: boolean
    readonly isFetchingNextPage: boolean
    fetchNextPage(): Promise<unknown>
  }
  readonly children: ReactNode
}

/** Gets the next page of a list, as long as there is one. */
export function MoreButton({ list, children }: Props) {
  if (!list.hasNextPage) return null
  return (
    <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {children}
    </Button>
  )
}
