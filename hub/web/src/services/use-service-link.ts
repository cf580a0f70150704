import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useApi } from '../api/context.tsx'
import { restfulFrames } from '../panel/restful-frames.ts'
import { createSignalStore, type SignalStore } from '../panel/signal-store.ts'
import { openService } from './open-service.ts'
import type { LinkState, Presence, ServiceLink } from './service-link.ts'

export interface OpenLink {
  /** Undefined before the page is there, and between two services. */
  readonly link: ServiceLink | undefined
  readonly state: LinkState | undefined
  readonly store: SignalStore
}

/** What a chart shows, and a little more. */
const KEPT_S = 62

/** The page's own connection with the service, for as long as the page is there; at rest while the directory has it not. */
export function useServiceLink(
  { id, contract, state: stands }: Pick<DirectoryService, 'id' | 'contract' | 'state'>,
  hasLeft: boolean,
): OpenLink {
  const api = useApi()
  const presence: Presence = hasLeft ? 'left' : stands === 'gone' ? 'away' : 'here'
  const newest = useRef(presence)
  newest.current = presence
  const [link, setLink] = useState<ServiceLink>()
  const shape = JSON.stringify(contract)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was read of another service is not of this one
  const store = useMemo(() => createSignalStore({ keepS: KEPT_S, schedule: restfulFrames() }), [id, shape])
  useEffect(() => {
    const opened = openService({
      id,
      contract: JSON.parse(shape) as ServiceContract,
      api,
      store,
      presence: newest.current,
    })
    setLink(opened)
    return () => {
      setLink(undefined)
      void opened.close()
    }
  }, [id, shape, api, store])
  useEffect(() => link?.heard(presence), [link, presence])
  const subscribe = useCallback((listener: () => void) => link?.subscribe(listener) ?? (() => {}), [link])
  const state = useSyncExternalStore(subscribe, () => link?.state)
  return { link, state, store }
}
