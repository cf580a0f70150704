/**
 * Where services are: asked of a hub, or of a node alone. One port, so that a program is the same for a lab with and
 * without a hub.
 */
import * as z from 'zod'
import { leaseSchema, page } from '../../contracts/api.ts'
import {
  type DirectoryEntry,
  type DirectorySearch,
  directoryEntrySchema,
  directoryServiceSchema,
  givenServiceTokenSchema,
} from '../../contracts/directory.ts'
import { LabError } from '../../primitives/lab-error.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import type { Hub } from './hub.ts'
import type { Access } from './kept-access.ts'
import { BY_HUB } from './way.ts'

/** A service that was found. */
export interface Found {
  /** `<node>/<service>`. */
  readonly id: string
  /** On a link to its node. */
  readonly name: string
  readonly node: string
  /** `<node>.<bench>` of a part of a bench that is had by a hold; undefined where its node itself locks it. */
  readonly bench: string | undefined
  readonly contract: ServiceContract
}

export interface BenchHold {
  readonly lease: string
}

export interface Directory {
  /** Services by node and name; all that is given has to hold. */
  find(search?: DirectorySearch, signal?: AbortSignal): Promise<DirectoryEntry[]>
  /** By its name, `<node>/<service>` or `fernlab://<site>/<node>/<service>`; rejects with `service-unknown`, `service-ambiguous`. */
  get(name: string, signal?: AbortSignal): Promise<Found>
  /** Opens a node for these services of it, by name, and the bench's parts to who holds it. */
  access(node: string, services: readonly string[], lease: string | undefined, signal?: AbortSignal): Promise<Access>
  /** Takes a bench, or renews a hold that was taken; rejects with `bench-busy`. */
  hold(bench: string, lease?: string, signal?: AbortSignal): Promise<BenchHold>
  /** Without a lease, the caller's own. */
  release(bench: string, lease?: string): Promise<void>
  /** Ends what it keeps open, where it does. */
  close?(): Promise<void>
}

/** The services that are meant by a name, or by one with `*` and `?`; rejects with `service-unknown` where it fits none. */
export async function named(directory: Directory, name: string, signal?: AbortSignal): Promise<readonly string[]> {
  if (!/[*?]/.test(name)) return [name]
  const [node, pattern] = name.includes('/')
    ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
    : [undefined, name]
  const found = await directory.find({ pattern }, signal)
  const ids = found.filter((one) => node === undefined || one.node === node).map(({ id }) => id)
  if (ids.length > 0) return ids
  throw new LabError({ code: 'service-unknown', kind: 'caller', message: `there is no service ${name}` })
}

/** The longest that a node lets a bench be held without word from its hub: a hub that is stopped ends nothing before. */
const HOLD_S = 600
const ADDRESS = /^fernlab:\/\/([^/]+)\/([^/]+)\/([^/]+)$/
const entries = page(directoryEntrySchema)

/** Of a name, `<node>/<service>` or `fernlab://<site>/<node>/<service>`. */
export function partsOfAddress(name: string): {
  readonly site?: string
  readonly node?: string
  readonly service: string
} {
  const [, site, at, of] = ADDRESS.exec(name) ?? []
  if (site !== undefined && at !== undefined && of !== undefined) return { site, node: at, service: of }
  const slash = name.indexOf('/')
  return slash < 0 ? { service: name } : { node: name.slice(0, slash), service: name.slice(slash + 1) }
}

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
