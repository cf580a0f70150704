/**
 * Where services are: asked of a hub, or of a node alone. One port, so that a program is the same for a lab with and
 * without a hub.
 */
import type { DirectoryEntry, DirectorySearch } from '../../contracts/directory.ts'
import { LabError } from '../../primitives/lab-error.ts'
import type { ServiceContract } from '../../rpc/contract/service-contract.ts'
import type { Access } from './kept-access.ts'

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
  /** Who has it, as its entry says it. */
  readonly lockedBy?: DirectoryEntry['lockedBy']
}

export interface BenchHold {
  readonly lease: string
  /** Another hold that the caller had already was answered: what did not get it must not end it. */
  readonly isResumed?: boolean
}

export interface HoldWish {
  /** Of the hold that is renewed; without one, the bench is taken. */
  readonly lease?: string
  /** What for; others are told. */
  readonly reason?: string
  /** Of the taking: asked for again by it, the same hold is answered. */
  readonly taking?: string
  /** Another hold that the caller has already may be answered, by a directory that goes on with such. */
  readonly mayResume?: boolean
}

export interface EndedBy {
  /** Without one, the caller's own; where there is none, with a reason and the permission, whoever's it is. */
  readonly lease?: string | undefined
  readonly reason?: string | undefined
  /** Since when it is held that is meant: with another, it rejects with `hold-changed`. */
  readonly since?: string | undefined
}

export interface Directory {
  /** Services by node and name; all that is given has to hold. */
  find(search?: DirectorySearch, signal?: AbortSignal): Promise<DirectoryEntry[]>
  /** By its name, `<node>/<service>` or `fernlab://<site>/<node>/<service>`; rejects with `service-unknown`, `service-ambiguous`. */
  get(name: string, signal?: AbortSignal): Promise<Found>
  /** Opens a node for these services of it, by name, and the bench's parts to who holds it. */
  access(node: string, services: readonly string[], lease: string | undefined, signal?: AbortSignal): Promise<Access>
  /** Takes a bench for a reason, or renews a hold that was taken; rejects with `bench-busy`. */
  hold(bench: string, how?: HoldWish, signal?: AbortSignal): Promise<BenchHold>
  /** Ends a hold; without `how`, the caller's own. */
  release(bench: string, how?: EndedBy): Promise<void>
  /** Who has the service, as far as the asker may know; without, its node says that itself. */
  whoHas?(service: string): Promise<DirectoryEntry['lockedBy']>
  /** Ends what it keeps open, where it does. */
  close?(): Promise<void>
}

/** Throws `call-invalid` where it can be the name of no service, whatever the compiler was told. */
export function requireName(name: unknown): void {
  if (typeof name === 'string' && name.trim() !== '') return
  const given = typeof name === 'string' ? JSON.stringify(name) : name === null ? 'null' : `of type ${typeof name}`
  throw invalid(`the name of a service is wanted, such as bench3.scope, and what was given is ${given}`)
}

/** Throws `call-invalid` where they are no list of names, or none at all. */
export function requireNames(names: unknown): void {
  if (!Array.isArray(names)) throw invalid("a list of services is wanted, as ['bench3.scope', 'pi/fit']")
  if (names.length === 0) throw invalid('at least one service is to be named, and the list is empty')
  for (const name of names) requireName(name)
}

/** Throws `call-invalid` for what is in `seen` under a name that is not meant: nobody would be held to it. */
export function requireSeenOf(names: readonly string[], seen: Readonly<Record<string, unknown>>): void {
  const others = Object.keys(seen).filter((name) => !names.includes(name))
  if (others.length > 0) throw invalid(`seen: ${others.join(', ')} is not among what is to be unlocked`)
}

const invalid = (message: string) => new LabError({ code: 'call-invalid', kind: 'caller', message })

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

/** Where a hub has the service of that name, or `<node>/<service>`. */
export const directoryPath = (name: string): string => `/directory/${name.split('/').map(encodeURIComponent).join('/')}`

const ADDRESS = /^fernlab:\/\/([^/]+)\/([^/]+)\/([^/]+)$/

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
