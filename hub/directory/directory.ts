/** The hub's phone book of services: where each is, how it stands, and what opens it. */
import type { DirectoryEntry, DirectorySearch, DirectoryService } from '@fernlab/shared/contracts/directory'
import type { Viewer } from '@fernlab/shared/contracts/directory-entry'
import { searchFor, serviceNamed } from '@fernlab/shared/contracts/directory-search'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import { namesOf } from '../accounts/names-of.ts'
import type { Store } from '../store/store.ts'
import { entryOf, type KnownService, standingOf } from './entries.ts'
import type { ServiceBook } from './service-book.ts'

export interface Directory {
  /** The services that the search finds, as the caller sees them. */
  list(search: DirectorySearch, caller: Caller): Promise<DirectoryEntry[]>
  /** By name, or `<node>/<name>`; throws `service-unknown`, and `service-ambiguous` where several nodes have one of that name. */
  service(named: string, caller: Caller): Promise<DirectoryService>
}

/** Looks it up in the book. */
export function createDirectory(options: { site: string; services: ServiceBook; store: Store }): Directory {
  const { site, services, store } = options
  const viewerOf = async (caller: Caller, known: readonly KnownService[]): Promise<Viewer> => {
    const { personId } = caller
    if (!can(caller, 'people.read')) return { personId, names: undefined }
    const owners = new Set(known.flatMap((service) => standingOf(service).lock?.owner ?? []))
    return { personId, names: await namesOf(store, [...owners]) }
  }
  return {
    list: async (search, caller) => {
      const known = services.all()
      const viewer = await viewerOf(caller, known)
      return known.map((service) => entryOf(site, service, viewer)).filter(searchFor(search))
    },
    service: async (named, caller) => {
      const known = findService(services.all(), named)
      return { ...entryOf(site, known, await viewerOf(caller, [known])), contract: known.told.contract }
    },
  }
}

/** The service of that name, or `<node>/<name>`; throws as {@link Directory.service}. */
export const findService = (all: readonly KnownService[], named: string): KnownService =>
  serviceNamed(
    all.map((service) => ({ service, node: service.node, name: service.told.name })),
    named,
  ).service

/** The same for `<bench>.*` and `<node>/<bench>.*`, which are all parts of the bench; others are one service. */
export function findServices(all: readonly KnownService[], named: string): KnownService[] {
  const [, node, bench] = /^(?:([^/]+)\/)?([^/]+)\.\*$/.exec(named) ?? []
  if (bench === undefined) return [findService(all, named)]
  const found = all.filter((one) => one.told.bench === bench && (node === undefined || one.node === node))
  if (found.length === 0) {
    throw new LabError({ code: 'service-unknown', kind: 'caller', message: `there is no service ${named}` })
  }
  const nodes = [...new Set(found.map((one) => one.node))].sort()
  if (nodes.length === 1) return found
  const full = nodes.map((one) => `${one}/${named}`)
  const message = `several nodes have a bench ${bench}: say which, ${full.join(' or ')}`
  throw new LabError({ code: 'service-ambiguous', kind: 'caller', message, details: { services: full.join(' ') } })
}
