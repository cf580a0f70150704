import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react'
import type { Api } from './client.ts'
import type { Connection } from './connection.ts'

interface Hub {
  readonly api: Api
  readonly connection: Connection
}

const HubContext = createContext<Hub | undefined>(undefined)

/** Gives the pages below it the hub that they talk to. */
export function HubProvider({ hub, children }: { hub: Hub; children: ReactNode }) {
  return <HubContext value={hub}>{children}</HubContext>
}

function useHub(): Hub {
  const hub = useContext(HubContext)
  if (hub === undefined) throw new Error('no HubProvider above')
  return hub
}

/** The API of the hub that served the page. */
export const useApi = (): Api => useHub().api

/** Whether the hub answers; the component is drawn again when that changes. */
export function useReachable(): boolean {
  const { connection } = useHub()
  return useSyncExternalStore(connection.subscribe, connection.isReachable)
}
