/** Nodes that tell of themselves on the networks of this machine. */
import { type DnsQuestion, type FoundNode, HeardRecords, NODES_TYPE } from '../../network/dns-sd.ts'
import { type Multicast, multicastAddresses, openMulticast } from '../../network/multicast.ts'
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { audienceOf } from '../../primitives/token-audience.ts'
import type { NodeAt, NodesDirectoryOptions } from './nodes-directory.ts'

export interface NetworkNodesOptions {
  /** Of nodes: each goes to the node that it names, and to no other. */
  readonly tokens: readonly string[]
  /** Whether tokens go over TLS alone. */
  readonly tlsOnly: boolean
  readonly clock: Clock
}

/** Within which nodes answer. */
const LOOK_MS = 1000
/** A question may be lost. */
const ASK_AT_MS = [0, 300, 400]
const questions: readonly DnsQuestion[] = [{ name: NODES_TYPE, type: 'PTR' }]

/** Those that are found, each with its token; kept for as long as the caller finds it good enough. */
export function networkNodes({ tokens, tlsOnly, clock }: NetworkNodesOptions): NodesDirectoryOptions['nodes'] {
  const byNode = new Map(tokens.map((token) => [audienceOf(token), token]))
  let kept: { readonly at: number; readonly looking: Promise<FoundNode[]> } | undefined
  return async (maxAgeMs) => {
    const now = clock.monotonic()
    if (kept === undefined || now - kept.at > maxAgeMs) kept = { at: now, looking: lookOnNetwork(clock) }
    const { looking } = kept
    const found = await looking.catch((error: unknown) => {
      if (kept?.looking === looking) kept = undefined
      throw error
    })
    return found.map((node) => nodeAt(node, byNode.get(`${node.site}/${node.node}`), tlsOnly))
  }
}

function nodeAt({ site, node, tls, addresses }: FoundNode, token: string | undefined, tlsOnly: boolean): NodeAt {
  const at = { id: `${site}/${node}`, addresses }
  if (token === undefined) {
    const message = `no token for ${at.id} was given: "fernlab node token" on its machine makes one`
    return { ...at, refusal: new LabError({ code: 'token-missing', kind: 'caller', message }) }
  }
  if (tlsOnly && !tls) {
    const message = `${at.id} has no TLS, and is shown no token where an authority is named`
    return { ...at, refusal: new LabError({ code: 'node-without-tls', kind: 'caller', message }) }
  }
  return { ...at, token }
}

/** Asks on every interface; rejects with `multicast-unavailable` where none takes it. */
async function lookOnNetwork(clock: Clock): Promise<FoundNode[]> {
  const heard = new HeardRecords()
  const opened = await Promise.allSettled(
    multicastAddresses().map((at) => openMulticast({ at, onTold: (records) => heard.add(records) })),
  )
  const there = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    requireSome(opened)
    let waited = 0
    for (const waitMs of ASK_AT_MS) {
      await clock.sleep(waitMs)
      waited += waitMs
      requireSome(await Promise.allSettled(there.map((multicast: Multicast) => multicast.ask(questions))))
    }
    await clock.sleep(LOOK_MS - waited)
    return heard.nodes()
  } finally {
    await Promise.all(there.map((multicast) => multicast.close()))
  }
}

function requireSome(all: readonly PromiseSettledResult<unknown>[]): void {
  const failed = all.find((one) => one.status === 'rejected')
  if (failed !== undefined && all.every(({ status }) => status === 'rejected')) throw failed.reason
}
