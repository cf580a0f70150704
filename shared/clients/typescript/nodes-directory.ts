/**
 * The directory of a lab without a hub: its nodes are asked themselves.
 *
 * INVARIANTS: a token goes to the node that it is for, and to no other; a node that does not answer keeps nobody from what
 * the others have, and is told of; benches are locked at their nodes, as all else.
 */
import * as z from 'zod'
import { type DirectoryEntry, type DirectorySearch, directoryEntrySchema } from '../../contracts/directory.ts'
import { serviceNamed } from '../../contracts/directory-search.ts'
import type { Clock } from '../../primitives/clock.ts'
import { asLabError, LabError } from '../../primitives/lab-error.ts'
import { members } from '../../rpc/contract/members.ts'
import { type ServiceContract, serviceContractSchema } from '../../rpc/contract/service-contract.ts'
import { type Connection, createConnection } from './connection.ts'
import { type Directory, type Found, partsOfAddress } from './directory.ts'
import type { Access } from './kept-access.ts'
import { siteForeign } from './ways/peer-hub.ts'
import type { Way } from './ways/way.ts'

/** A node as it was named, or found. */
export interface NodeAt {
  readonly addresses: readonly string[]
  /** One that the node signed itself; none at its own socket. */
  readonly token?: string
  /** `<site>/<node>`, where that is known before it is asked. */
  readonly id?: string
  /** Why it is not asked. */
  readonly refusal?: LabError
}

export interface NodesDirectoryOptions {
  /** The nodes that there are, as they were looked for at most so long ago. */
  readonly nodes: (maxAgeMs: number, signal: AbortSignal | undefined) => Promise<readonly NodeAt[]>
  readonly ways: readonly Way[]
  readonly clock: Clock
  /** Told of each node that was asked and did not answer, when others did. */
  readonly onUnanswered?: (node: string, error: LabError) => void
}

export interface NodesDirectory extends Directory {
  close(): Promise<void>
}

interface Asked {
  readonly entries: DirectoryEntry[]
  readonly node: KnownNode
}

interface KnownNode {
  at: NodeAt
  /** Somebody was told where it is: who asks again found nothing there. */
  isGiven: boolean
  readonly connection: Connection
}

/** A node that is on answers at once. */
const ANSWER_MS = 5000
/** One that was never met may have been started together with us; a wrong address stays wrong. */
const PATIENCE_MS = 500
/** Who has found a node once finds it again without looking, for so long. */
const KNOWN_MS = 30_000
/** One whose ways have all failed may be elsewhere now. */
const MOVED_MS = 2000
const entriesSchema = z.array(directoryEntrySchema)

export function nodesDirectory(options: NodesDirectoryOptions): NodesDirectory {
  const { ways, clock, onUnanswered = () => {} } = options
  const known = new Map<string, KnownNode>()
  /** By its name in addresses of services. */
  const byName = new Map<string, KnownNode>()

  const keyOf = ({ id, addresses }: NodeAt) => id ?? addresses[0] ?? ''
  const nodeOf = (at: NodeAt): KnownNode => {
    const key = keyOf(at)
    const before = known.get(key)
    if (before !== undefined) {
      before.at = at
      return before
    }
    const node: KnownNode = {
      at,
      isGiven: false,
      connection: createConnection({
        node: key,
        ways,
        clock,
        patienceMs: PATIENCE_MS,
        access: async () => accessOf(node.at),
      }),
    }
    known.set(key, node)
    return node
  }
  const look = async (maxAgeMs: number, signal: AbortSignal | undefined) =>
    (await options.nodes(maxAgeMs, signal)).map(nodeOf)
  const ask = async (node: KnownNode, search: DirectorySearch, signal: AbortSignal | undefined): Promise<Asked> => {
    if (node.at.refusal !== undefined) throw node.at.refusal
    const given = await node.connection.call('node/directory', { search: listed(search) }, callOptions(signal))
    const entries = readAnswer(entriesSchema, given, keyOf(node.at))
    for (const entry of entries) byName.set(entry.node, node)
    return { node, entries }
  }
  const askAll = async (nodes: readonly KnownNode[], search: DirectorySearch, signal: AbortSignal | undefined) => {
    const answers = await Promise.allSettled(nodes.map((node) => ask(node, search, signal)))
    signal?.throwIfAborted()
    const answered = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = answers.flatMap((one, i) => {
      const node = nodes[i]
      return one.status === 'fulfilled' || node === undefined
        ? []
        : [{ node: keyOf(node.at), error: asLabError(one.reason) }]
    })
    const [first, ...others] = failed
    if (answered.length === 0 && first !== undefined)
      throw others.length === 0 ? first.error : noneAnswered(first.error, failed)
    for (const { node, error } of failed) onUnanswered(node, error)
    return answered
  }
  const named = async (name: string, maxAgeMs: number, signal: AbortSignal | undefined) => {
    const { site, node, service } = partsOfAddress(name)
    const nodes = await look(maxAgeMs, signal)
    const answers = await askAll(nodes, { name: service }, signal)
    const all = each(answers.flatMap(({ node: at, entries }) => entries.map((entry) => ({ ...entry, at }))))
    const there = all.filter((entry) => site === undefined || entry.site === site)
    if (there.length === 0 && site !== undefined) {
      const sites = new Set((await askAll(nodes, {}, signal)).flatMap(({ entries }) => entries.map((one) => one.site)))
      if (sites.size > 0 && !sites.has(site)) throw siteForeign(name, [...sites].join(' and '))
    }
    // Nodes of several sites may have one name.
    return serviceNamed(there, node === undefined ? service : `${node}/${service}`, ({ address }) => address)
  }

  return {
    async find(search = {}, signal) {
      const found = each((await askAll(await look(0, signal), search, signal)).flatMap(({ entries }) => entries))
      return found.sort((a, b) => compare(a.node, b.node) || compare(a.name, b.name))
    },
    async get(name, signal): Promise<Found> {
      const entry = await named(name, KNOWN_MS, signal).catch((thrown: unknown) => {
        if (!['service-unknown', 'site-foreign'].includes(asLabError(thrown).code)) throw thrown
        return named(name, 0, signal)
      })
      const method = `${entry.name}/${members.contract}`
      const given = await entry.at.connection.call(method, undefined, callOptions(signal))
      const contract = readAnswer(serviceContractSchema, given, entry.id)
      // Its bench is its node's to lock.
      return {
        id: entry.id,
        name: entry.name,
        node: entry.node,
        bench: undefined,
        contract: contract as ServiceContract,
        ...(entry.lockedBy === undefined ? {} : { lockedBy: entry.lockedBy }),
      }
    },
    async access(name, _services, _lease, signal) {
      const node = byName.get(name)
      // Where nobody can be asked on the network it is where it was.
      await look(node?.isGiven === true ? MOVED_MS : KNOWN_MS, signal).catch((thrown: unknown) => {
        if (node === undefined) throw thrown
      })
      if (node !== undefined) {
        node.isGiven = true
        return accessOf(node.at)
      }
      throw new LabError({ code: 'node-unknown', kind: 'caller', message: `there is no node ${name}` })
    },
    hold: async (bench) => {
      throw ofNode(bench)
    },
    release: async (bench) => {
      throw ofNode(bench)
    },
    close: async () => {
      await Promise.all([...known.values()].map(({ connection }) => connection.close()))
    },
  }
}

/** What a node has said; throws `unexpected-answer` where it is something else, as of another version. */
function readAnswer<Schema extends z.ZodType>(schema: Schema, given: unknown, who: string): z.infer<Schema> {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  throw new LabError({
    code: 'unexpected-answer',
    kind: 'link',
    retry: 'never',
    message: `${who} answered something else than this client expects; it may be of another version`,
    issues: read.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  })
}

const accessOf = ({ addresses, token }: NodeAt): Access => ({ addresses, ...(token === undefined ? {} : { token }) })

const callOptions = (signal: AbortSignal | undefined) => ({
  timeoutMs: ANSWER_MS,
  idempotent: true,
  ...(signal === undefined ? {} : { signal }),
})

/** Tags as lists; what is not given is left out. */
function listed({ tag, anyTag, ...search }: DirectorySearch): object {
  const tags = { tag: tag === undefined ? undefined : [tag].flat(), anyTag: anyTag && [anyTag].flat() }
  return Object.fromEntries(Object.entries({ ...search, ...tags }).filter(([, value]) => value !== undefined))
}

/** Once: a node may be named by two of its addresses. */
const each = <Entry extends DirectoryEntry>(entries: readonly Entry[]): Entry[] => {
  const seen = new Set<string>()
  return entries.filter(({ address }) => !seen.has(address) && seen.add(address))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Of several, with the code of the first. */
const noneAnswered = (
  { code, kind, retry }: LabError,
  failed: readonly { readonly node: string; readonly error: LabError }[],
): LabError =>
  new LabError({
    code,
    kind,
    retry,
    message: `no node answers: ${failed.map(({ error }) => error.message).join('; ')}`,
    issues: failed.map(({ node, error }) => ({ path: node, message: error.message })),
  })

const ofNode = (bench: string) =>
  new LabError({ code: 'internal-error', kind: 'bug', message: `${bench} is locked at its node, not held` })
