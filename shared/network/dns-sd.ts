/**
 * How nodes are told of on their own network: DNS-SD (RFC 6763) over multicast DNS (RFC 6762). The records of a node, and
 * the nodes that records tell of; pure.
 *
 * INVARIANTS: what came over the network is taken only where it fits, and of that so much and no more; nothing is told but
 * where a node listens.
 */
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { SERVICES_PATH } from '../contracts/services.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'

/** A node as it is told of on one interface. */
export interface ToldNode {
  readonly site: string
  readonly node: string
  /** At which it listens, IPv4. */
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** What clients are told instead, where node.yaml says so. */
  readonly address?: string
}

/** A node that was found. */
export interface FoundNode {
  readonly site: string
  readonly node: string
  readonly tls: boolean
  /** Where it takes links, the likeliest first. */
  readonly addresses: readonly string[]
}

export interface DnsQuestion {
  readonly name: string
  readonly type: string
}

export interface DnsRecord extends DnsQuestion {
  /** Seconds; 0: it is no more. */
  readonly ttl?: number
  readonly data: unknown
}

export const NODES_TYPE = '_fernlab._tcp.local'
const ALL_TYPES = '_services._dns-sd._udp.local'
const TTL_S = 120
const MOST_LABEL = 63
const MOST_TEXT = 255
/** Of what others say on the network. */
const MOST_RECORDS = 2000
const MOST_NODES = 200

/** All that is told of the node; with `ttlS` 0, that it is no more. */
export function recordsOf(told: ToldNode, ttlS = TTL_S): DnsRecord[] {
  const { site, node, host, port, tls, address } = told
  const label = labelOf(`${node}-${site}`)
  const instance = `${label}.${NODES_TYPE}`
  const target = `${label}.local`
  const texts = ['txtvers=1', `site=${site}`, `node=${node}`, `tls=${tls ? 1 : 0}`]
  const alias = `address=${address}`
  if (address !== undefined && Buffer.byteLength(alias) <= MOST_TEXT) texts.push(alias)
  return [
    { name: ALL_TYPES, type: 'PTR', ttl: ttlS, data: NODES_TYPE },
    { name: NODES_TYPE, type: 'PTR', ttl: ttlS, data: instance },
    { name: instance, type: 'SRV', ttl: ttlS, data: { priority: 0, weight: 0, port, target } },
    { name: instance, type: 'TXT', ttl: ttlS, data: texts },
    { name: target, type: 'A', ttl: ttlS, data: host },
  ]
}

/** Those that were asked for, and those that who asks for them wants next. */
export function answersTo(
  questions: readonly DnsQuestion[],
  records: readonly DnsRecord[],
): { readonly answers: DnsRecord[]; readonly additionals: DnsRecord[] } {
  const answers = records.filter((record) =>
    questions.some(({ name, type }) => sameName(name, record.name) && (type === 'ANY' || type === record.type)),
  )
  const isNode = answers.some(({ name, type }) => type === 'PTR' && name === NODES_TYPE)
  return {
    answers,
    additionals: isNode ? records.filter((record) => !record.name.startsWith('_')).filter(notIn(answers)) : [],
  }
}

const notIn = (others: readonly DnsRecord[]) => (record: DnsRecord) => !others.includes(record)

/** What was heard on the network, and which nodes that tells of. */
export class HeardRecords {
  readonly #records = new Map<string, DnsRecord>()

  /** Takes records over; those whose time is 0 are no more. */
  add(records: readonly DnsRecord[]): void {
    for (const record of records) {
      if (typeof record.name !== 'string' || record.name.length > 300) continue
      const key = JSON.stringify([record.name.toLowerCase(), record.type, plain(record.data)])
      if (record.ttl === 0) this.#records.delete(key)
      else if (this.#records.size < MOST_RECORDS) this.#records.set(key, record)
    }
  }

  /** By site and name. */
  nodes(): FoundNode[] {
    const all = [...this.#records.values()]
    const instances = all.flatMap(({ name, type, data }) =>
      type === 'PTR' && sameName(name, NODES_TYPE) && typeof data === 'string' ? [data] : [],
    )
    const found = new Map<string, FoundNode>()
    for (const instance of instances.slice(0, MOST_NODES)) {
      const node = nodeOf(instance, all)
      if (node !== undefined) found.set(`${node.site}/${node.node}`, node)
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, node]) => node)
  }
}

function nodeOf(instance: string, all: readonly DnsRecord[]): FoundNode | undefined {
  const of = (name: string, type: string) => all.filter((one) => one.type === type && sameName(one.name, name))
  const service = of(instance, 'SRV').at(-1)?.data as { port?: unknown; target?: unknown } | undefined
  const texts = textsOf(of(instance, 'TXT').at(-1)?.data)
  const { site = '', node = '', tls, address } = texts
  if (typeof service?.target !== 'string' || !NAME_PATTERN.test(site) || !NAME_PATTERN.test(node)) return undefined
  const { port, target } = service
  if (!Number.isInteger(port) || Number(port) < 1) return undefined
  const hosts = of(target, 'A').flatMap(({ data }) => (typeof data === 'string' && isIPv4(data) ? [data] : []))
  const scheme = tls === '1' ? 'wss' : 'ws'
  const own = hosts.map((host) => `${scheme}://${host}:${port}${SERVICES_PATH}`)
  const isAlias = address !== undefined && /^wss?:\/\//.test(address) && URL.canParse(address)
  const addresses = isAlias ? [address] : own.slice(0, 16)
  return addresses.length === 0 ? undefined : { site, node, tls: addresses.every(isTls), addresses }
}

const isTls = (address: string) => address.startsWith('wss:')

/** Of `key=value` each, as a list of bytes. */
function textsOf(data: unknown): Record<string, string | undefined> {
  const parts = (Array.isArray(data) ? data : [data]).slice(0, 32)
  const pairs = parts.flatMap((part): [string, string][] => {
    const text = part instanceof Uint8Array ? new TextDecoder().decode(part) : typeof part === 'string' ? part : ''
    const at = text.indexOf('=')
    return at <= 0 ? [] : [[text.slice(0, at).toLowerCase(), text.slice(at + 1)]]
  })
  return Object.fromEntries(pairs)
}

/** A name of DNS has at most 63 bytes between its dots. */
function labelOf(text: string): string {
  if (text.length <= MOST_LABEL) return text
  const short = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return `${text.slice(0, MOST_LABEL - 13)}-${short}`
}

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Bytes as text, so that the same is known again. */
function plain(data: unknown): unknown {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64')
  return Array.isArray(data) ? data.map(plain) : data
}
