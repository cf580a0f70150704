/** The directory of a hub, asked over HTTP. */
import * as z from 'zod'
import { leaseSchema, page } from '../../contracts/api.ts'
import {
  type DirectoryEntry,
  directoryEntrySchema,
  directoryServiceSchema,
  givenServiceTokenSchema,
} from '../../contracts/directory.ts'
import { LabError } from '../../primitives/lab-error.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import { type Directory, partsOfAddress } from './directory.ts'
import type { Hub } from './hub.ts'
import type { Access } from './kept-access.ts'
import { BY_HUB } from './way.ts'

/** The longest that a node lets a bench be held without word from its hub: a hub that is stopped ends nothing before. */
const HOLD_S = 600
const entries = page(directoryEntrySchema)

/** No hub leads to those of another site. */
const siteForeign = (name: string, hub: string, site: string) =>
  new LabError({
    code: 'site-foreign',
    kind: 'caller',
    message: `${name} is of another site than ${site}, whose hub is at ${hub}: ask the hub of its site`,
  })

/** The directory of a hub. */
export function hubDirectory(hub: Hub): Directory {
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
      const path = `/directory/${asked.split('/').map(encodeURIComponent).join('/')}`
      const { bench, ...found } = await hub.ask(directoryServiceSchema, path, { signal })
      if (site !== undefined && site !== found.site) throw siteForeign(name, hub.url, found.site)
      return { ...found, bench, contract: found.contract as ServiceContract }
    },
    async access(node, services, lease, signal): Promise<Access> {
      const body = { services: services.map((name) => `${node}/${name}`), ...(lease === undefined ? {} : { lease }) }
      const given = await hub.ask(givenServiceTokenSchema, '/directory/tokens', { method: 'POST', body, signal })
      return {
        addresses: [...given.addresses, `${BY_HUB}${node}`],
        token: given.token,
        lastsMs: given.lastsMs,
      }
    },
    async hold(bench, lease, signal) {
      const body = { ttlS: HOLD_S, ...(lease === undefined ? {} : { lease }) }
      return hub.ask(leaseSchema, `/benches/${encodeURIComponent(bench)}/lease`, { method: 'POST', body, signal })
    },
    async release(bench, lease) {
      await hub.ask(z.object({ safe: z.boolean() }), `/benches/${encodeURIComponent(bench)}/lease`, {
        method: 'DELETE',
        query: lease === undefined ? {} : { lease },
      })
    },
  }
}
