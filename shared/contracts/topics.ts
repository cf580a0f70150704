/** The topic map: the one place where MQTT topics are spelled. Depths are fixed, so that dashboards can map levels to tags. */

export const TOPIC_ROOT = 'fernlab/v1'

/** What travels between a hub and one node, below `nodes/<node>/sync/`. */
export const nodeToHub = ['inventory', 'accepted', 'documents', 'live', 'reply', 'services', 'links-up'] as const
export const hubToNode = ['welcome', 'assign', 'acknowledge', 'cancel', 'request', 'links-down'] as const
export type NodeToHub = (typeof nodeToHub)[number]
export type HubToNode = (typeof hubToNode)[number]
export type SyncChannel = NodeToHub | HubToNode

/** Topics of one site; names are checked where they enter (`isName`). */
export function topics(site: string) {
  const base = `${TOPIC_ROOT}/${site}`
  const node = (name: string) => `${base}/nodes/${name}`
  return {
    base,
    hubStatus: `${base}/hub/status`,
    hubRuns: (state: string) => `${base}/hub/runs/${state}`,
    node,
    nodeStatus: (name: string) => `${node(name)}/status`,
    nodeHealth: (name: string) => `${node(name)}/health`,
    bench: (name: string, bench: string) => `${node(name)}/benches/${bench}`,
    signal: (name: string, instrument: string, signal: string) => `${node(name)}/instruments/${instrument}/${signal}`,
    signalSet: (name: string, instrument: string, signal: string) =>
      `${node(name)}/instruments/${instrument}/${signal}/set`,
    sync: (name: string, channel: SyncChannel) => `${node(name)}/sync/${channel}`,
    /** Filters that a hub subscribes to. */
    hubFilters: [
      ...nodeToHub.map((channel) => `${base}/nodes/+/sync/${channel}`),
      `${base}/nodes/+/status`,
      `${base}/nodes/+/health`,
      `${base}/nodes/+/benches/+`,
    ],
    /** Filters that a node subscribes to. */
    nodeFilters: (name: string) => [
      ...hubToNode.map((channel) => `${node(name)}/sync/${channel}`),
      `${base}/hub/status`,
    ],
  }
}

export type Topics = ReturnType<typeof topics>

export type ParsedTopic =
  | { readonly kind: 'hub-status' }
  | { readonly kind: 'hub-runs'; readonly state: string }
  | { readonly kind: 'node-status'; readonly node: string }
  | { readonly kind: 'node-health'; readonly node: string }
  | { readonly kind: 'bench'; readonly node: string; readonly bench: string }
  | { readonly kind: 'signal'; readonly node: string; readonly instrument: string; readonly signal: string }
  | { readonly kind: 'signal-set'; readonly node: string; readonly instrument: string; readonly signal: string }
  | { readonly kind: 'sync'; readonly node: string; readonly channel: SyncChannel }

/** Reads a topic of this site; undefined for anything that is not in the map. */
export function parseTopic(site: string, topic: string): ParsedTopic | undefined {
  const base = `${TOPIC_ROOT}/${site}/`
  if (!topic.startsWith(base)) return undefined
  const levels = topic.slice(base.length).split('/')
  const [group, name, third, fourth, fifth, sixth] = levels
  if (group === 'hub') {
    if (levels.length === 2 && name === 'status') return { kind: 'hub-status' }
    if (levels.length === 3 && name === 'runs' && third) return { kind: 'hub-runs', state: third }
    return undefined
  }
  if (group !== 'nodes' || !name) return undefined
  if (levels.length === 3 && third === 'status') return { kind: 'node-status', node: name }
  if (levels.length === 3 && third === 'health') return { kind: 'node-health', node: name }
  if (levels.length === 4 && third === 'benches' && fourth) return { kind: 'bench', node: name, bench: fourth }
  if (levels.length === 4 && third === 'sync' && fourth) {
    const channel = [...nodeToHub, ...hubToNode].find((known) => known === fourth)
    return channel === undefined ? undefined : { kind: 'sync', node: name, channel }
  }
  if (third !== 'instruments' || !fourth || !fifth) return undefined
  if (levels.length === 5) return { kind: 'signal', node: name, instrument: fourth, signal: fifth }
  if (levels.length === 6 && sixth === 'set') {
    return { kind: 'signal-set', node: name, instrument: fourth, signal: fifth }
  }
  return undefined
}
