/** By which this node knows who comes: the keys of tokens, its hub's, as the hub told them, and its own; and the hub's page. */
import type { Welcome } from '@fernlab/shared/contracts/sync'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { NodeSettings } from '../../settings/settings.ts'
import type { TrustedKey } from './tokens.ts'

export interface ServiceKeysOptions {
  readonly site: string
  readonly node: string
  readonly settings: SettingsFile<NodeSettings>
}

/** What of a welcome is kept here; what it does not say stays as it is. */
export type HubSays = Pick<Welcome, 'serviceKeys' | 'pageOrigin'>

export interface ServiceKeys {
  /** The only audience of tokens for this node. */
  readonly audience: string
  readonly trusted: readonly TrustedKey[]
  /** Of the hub's page, from when it was told. */
  readonly pageOrigin: string | undefined
  /** Takes what the hub says of itself instead of what it told before; kept for starts without the hub. */
  tell(hub: HubSays): Promise<void>
}

/** The name of the node's own key. */
export const OWN = 'node'

export function createServiceKeys({ site, node, settings }: ServiceKeysOptions): ServiceKeys {
  const audience = `${site}/${node}`
  return {
    audience,
    get trusted() {
      const { serviceKeys = [], ownServiceKey } = settings.data
      const hubs = serviceKeys.map((key) => ({ ...key, issuer: site }))
      return ownServiceKey === undefined ? hubs : [...hubs, { kid: OWN, x: ownServiceKey.x, issuer: audience }]
    },
    get pageOrigin() {
      return settings.data.pageOrigin
    },
    tell: async (hub) => {
      const { serviceKeys: known = [], pageOrigin: page } = settings.data
      // Its own name is the node's.
      const told = hub.serviceKeys?.filter(({ kid }) => kid !== OWN) ?? known
      const pageOrigin = hub.pageOrigin ?? page
      if (JSON.stringify(told) === JSON.stringify(known) && pageOrigin === page) return
      await settings.update((data) => {
        data.serviceKeys = told
        if (pageOrigin !== undefined) data.pageOrigin = pageOrigin
      })
    },
  }
}
