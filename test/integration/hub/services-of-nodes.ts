/** Nodes that tell of services, and do of their hub's calls what a test wants. */
import type { AnnouncedService, NodeServices } from '@fernlab/shared/contracts/services'
import type { NodeMethod } from '@fernlab/shared/contracts/sync'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { TestHub } from './hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from './scripted-node.ts'

export const aService = (name: string, more: Partial<AnnouncedService> = {}): AnnouncedService => ({
  name,
  state: 'up',
  tags: [],
  contract: { kind: 'supply', version: '1.0', actions: {}, signals: {}, events: {} },
  ...more,
})

export interface ServingNode extends ScriptedNode {
  /** What its hub has called, in order. */
  readonly called: { method: NodeMethod; params: Record<string, unknown> }[]
  /** From now on it knows of no lease, as when it has ended what it gave by itself. */
  forgetLeases(): void
  tell(services: readonly AnnouncedService[], addresses?: NodeServices['addresses']): Promise<void>
}

let leases = 0

/** A node with the bench `b`, which gives and takes leases. */
export async function startServingNode(lab: TestHub, name: string): Promise<ServingNode> {
  const node = await startScriptedNode(lab, name)
  const called: ServingNode['called'] = []
  let forgets = false
  const answers: Partial<Record<NodeMethod, (params: Record<string, unknown>) => object>> = {
    'lease.take': ({ ttlMs }) => ({ lease: `${name}-lease-${++leases}`, ttlMs }),
    'lease.renew': ({ ttlMs }) => ({ ttlMs }),
    'lease.release': () => ({ safe: true }),
    'services.revoke': () => ({ closed: 1 }),
  }
  node.link.onMessage(({ topic, payload }) => {
    const parsed = parseTopic('main', topic)
    if (parsed?.kind !== 'sync' || parsed.channel !== 'request') return
    const { id, method, params } = decode(payload) as { id: string; method: NodeMethod; params: never }
    called.push({ method, params })
    const result = answers[method]?.(params)
    const isForgotten = forgets && method === 'lease.renew'
    const code = isForgotten ? 'lease-invalid' : 'method-unknown'
    const refused = new LabError({ code, kind: 'caller', message: `${method} is not played` })
    const answer = result === undefined || isForgotten ? { id, error: refused.toJSON() } : { id, result }
    node.send('reply', answer).catch((error: unknown) => lab.log.warn({ error: String(error) }, 'no answer went out'))
  })
  return {
    ...node,
    called,
    forgetLeases: () => {
      forgets = true
    },
    tell: (services, addresses = [`ws://${name}.lab.example:8090/rpc`]) =>
      node.send('services', { addresses, services: [...services] }),
  }
}
