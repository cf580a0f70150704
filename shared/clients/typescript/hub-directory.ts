/** The directory of a hub, asked over HTTP. */
import * as z from 'zod'
import { leaseSchema, page } from '../../contracts/api.ts'
import {
  type DirectoryEntry,
  directoryEntrySchema,
  directoryServiceSchema,
  givenServiceTokenSchema,
} from '../../contracts/directory.ts'
import { LONGEST_LEASE_S } from '../../contracts/longest.ts'
import { asLabError } from '../../primitives/lab-error.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import { type Directory, directoryPath, partsOfAddress } from './directory.ts'
import type { Hub } from './hub.ts'
import type { Access } from './kept-access.ts'
import { byHubAddress } from './ways/by-hub.ts'
import { siteForeign } from './ways/peer-hub.ts'

const entries = page(directoryEntrySchema)
const siteSchema = z.object({ site: z.string() })

export interface HubDirectoryOptions {
  /** Nearer addresses of a node than the hub knows. */
  readonly addressesHere?: (site: string, node: string) => readonly string[]
}

/** The directory of a hub. */
export function hubDirectory(hub: Hub, { addressesHere = () => [] }: HubDirectoryOptions = {}): Directory {
  let ownSite: string | undefined
  const siteOf = async (signal: AbortSignal | undefined): Promise<string> => {
    ownSite ??= (await hub.ask(siteSchema, '/site', { signal })).site
    return ownSite
  }
  /** Also where it has a service of that name itself. */
  const requireOwn = async (name: string, site: string | undefined, signal: AbortSignal | undefined) => {
    if (site === undefined || site === (await siteOf(signal))) return
    throw siteForeign(name, `${await siteOf(signal)}, whose hub is at ${hub.url}`)
  }
  return {
    async find(search = {}, signal) {
      const found: DirectoryEntry[] = []
      let cursor: string | undefined
      do {
        const answer: z.infer<typeof entries> = await hub.ask(entries, '/directory', {
          query: { ...search, limit: '200', cursor },
          signal,
        })
        found.push(...answer.items)
        cursor = answer.cursor
      } while (cursor !== undefined)
      return found
    },
    async get(name, signal) {
      const { site, node, service } = partsOfAddress(name)
      const asked = node === undefined ? service : `${node}/${service}`
      const path = directoryPath(asked)
      const { bench, ...found } = await hub.ask(directoryServiceSchema, path, { signal }).catch(async (thrown) => {
        if (asLabError(thrown).code === 'service-unknown') await requireOwn(name, site, signal)
        throw thrown
      })
      ownSite = found.site
      await requireOwn(name, site, signal)
      return { ...found, bench, contract: found.contract as ServiceContract }
    },
    async whoHas(service) {
      return (await hub.ask(directoryServiceSchema, directoryPath(service))).lockedBy
    },
    async access(node, services, lease, signal): Promise<Access> {
      const body = { services: services.map((name) => `${node}/${name}`), ...(lease === undefined ? {} : { lease }) }
      const given = await hub.ask(givenServiceTokenSchema, '/directory/tokens', { method: 'POST', body, signal })
      return {
        addresses: [...addressesHere(ownSite ?? '', node), ...given.addresses, byHubAddress(node)],
        token: given.token,
        lastsMs: given.lastsMs,
        ...(given.goneSince === undefined ? {} : { goneSince: given.goneSince }),
      }
    },
    async hold(bench, { lease, reason, taking } = {}, signal) {
      const body = {
        ttlS: LONGEST_LEASE_S,
        ...(lease === undefined ? {} : { lease }),
        ...(reason === undefined ? {} : { reason }),
      }
      const headers = taking === undefined ? {} : { 'idempotency-key': taking }
      return hub.ask(leaseSchema, `/benches/${encodeURIComponent(bench)}/lease`, {
        method: 'POST',
        body,
        headers,
        signal,
      })
    },
    async release(bench, { lease, reason, since } = {}) {
      await hub.ask(z.object({ safe: z.boolean() }), `/benches/${encodeURIComponent(bench)}/lease`, {
        method: 'DELETE',
        query: { lease, reason, since },
      })
    },
  }
}
