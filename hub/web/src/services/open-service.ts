/** The client of services for a page; the page of a service is loaded when it is opened, and it with that alone. */
import { createClient } from '@fernlab/shared/clients/typescript/client'
import { pageWays } from '@fernlab/shared/clients/typescript/ways/page-ways'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { Api } from '../api/client.ts'
import type { SignalStore } from '../panel/signal-store.ts'
import { pageDirectory } from './page-directory.ts'
import { openServiceLink, type Presence, type ServiceLink } from './service-link.ts'

interface Options {
  readonly id: string
  readonly contract: ServiceContract
  readonly api: Api
  readonly store: SignalStore
  readonly presence: Presence
}

/** The service of that id, by the nearest way from this page. */
export function openService({ id, contract, api, store, presence }: Options): ServiceLink {
  const ways = pageWays({
    clock: systemClock,
    WebSocket,
    isSecurePage: location.protocol === 'https:',
    hub: location.origin,
  })
  return openServiceLink({
    id,
    contract,
    store,
    isSeen: () => document.visibilityState === 'visible',
    presence,
    clock: systemClock,
    client: ({ onWay, onHold }) =>
      createClient({
        directory: pageDirectory({ api, onHold }),
        ways,
        clock: systemClock,
        readContract: (said) => said as ServiceContract,
        // The page tries again by itself, when the directory says that it is worth it.
        patienceMs: 0,
        onWay: (_, way) => onWay(way),
      }),
  })
}
