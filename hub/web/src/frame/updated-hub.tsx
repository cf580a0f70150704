import { useQuery } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'

const lookEveryMs = 5 * 60_000

const UpdatedContext = createContext(false)

/** Remembers the version that served this page for as long as it is open, through sign-in too. */
export function UpdatedHubProvider({ children }: { children: ReactNode }) {
  const version = useQuery({ ...siteQuery(useApi()), refetchInterval: lookEveryMs }).data?.version
  const [first, setFirst] = useState<string>()
  if (first === undefined && version !== undefined) setFirst(version)
  const isUpdated = first !== undefined && version !== undefined && version !== first
  return <UpdatedContext value={isUpdated}>{children}</UpdatedContext>
}

/** Whether the hub has another version than the one that served this page. */
export const useIsUpdated = () => useContext(UpdatedContext)
