/**
 * Who may publish, subscribe to and receive what. Pure; every MQTT packet of a client passes one of these.
 *
 *   node        publishes under its own topics what a node says; reads its own topics and `hub/status`
 *   integrator  publishes nothing, but for one that may drive benches: values to set, which the hub takes and nobody reads;
 *               `mqtt:status` reads states and health, `mqtt:read` readings besides
 *   admin       an integrator that also reads `$SYS`
 */
import { nodeToHub, parseTopic, TOPIC_ROOT } from '@fernlab/shared/contracts/topics'

export type Identity =
  | { readonly kind: 'node'; readonly node: string }
  | {
      readonly kind: 'integrator'
      readonly tokenId: string
      readonly personId: string
      readonly scopes: readonly string[] | 'all'
      readonly admin: boolean
      /** May take leases on benches. */
      readonly drives: boolean
    }

/** True when the identity may publish to the topic; wills included. A value to set is for now, so never retained. */
export function mayPublish(site: string, identity: Identity, topic: string, retained = false): boolean {
  const parsed = parseTopic(site, topic)
  if (identity.kind !== 'node') return identity.drives && !retained && parsed?.kind === 'signal-set'
  if (parsed === undefined || !('node' in parsed) || parsed.node !== identity.node) return false
  if (parsed.kind === 'signal-set') return false
  return parsed.kind !== 'sync' || (nodeToHub as readonly string[]).includes(parsed.channel)
}

/** True when a message on the topic may be handed to the identity, whatever it subscribed to. */
export function mayReceive(site: string, identity: Identity, topic: string): boolean {
  if (topic.startsWith('$')) return identity.kind === 'integrator' && identity.admin && topic.startsWith('$SYS/')
  const parsed = parseTopic(site, topic)
  if (parsed === undefined || parsed.kind === 'signal-set') return false
  if (identity.kind === 'node') {
    return parsed.kind === 'hub-status' || ('node' in parsed && parsed.node === identity.node)
  }
  switch (parsed.kind) {
    case 'hub-status':
    case 'hub-runs':
    case 'node-status':
    case 'node-health':
    case 'bench':
      return hasScope(identity.scopes, 'mqtt:status') || hasScope(identity.scopes, 'mqtt:read')
    case 'signal':
      return hasScope(identity.scopes, 'mqtt:read')
    case 'sync':
      return false
  }
}

/** True when the filter may stand; what it matches is still narrowed by `mayReceive`. */
export function maySubscribe(site: string, identity: Identity, filter: string): boolean {
  const wild = /[+#]/.test(filter)
  if (!wild) return mayReceive(site, identity, filter)
  if (filter.startsWith('$')) {
    return identity.kind === 'integrator' && identity.admin && filter.startsWith('$SYS/')
  }
  if (identity.kind === 'node') return filter.startsWith(`${TOPIC_ROOT}/${site}/nodes/${identity.node}/`)
  return !isPrivate(site, filter)
}

/** True for filters that name what no integrator may read. */
function isPrivate(site: string, filter: string): boolean {
  const levels = filter.split('/')
  const base = [...TOPIC_ROOT.split('/'), site]
  if (!base.every((level, at) => levels[at] === level || levels[at] === '+'))
    return levels[0] !== '#' && !covers(levels, base)
  const [group, , third, , , sixth] = levels.slice(base.length)
  return group === 'nodes' && (third === 'sync' || sixth === 'set')
}

/** True when the filter ends with `#` before it differs from the base. */
function covers(levels: readonly string[], base: readonly string[]): boolean {
  const end = levels.indexOf('#')
  return end >= 0 && levels.slice(0, end).every((level, at) => level === '+' || level === base[at])
}

function hasScope(scopes: readonly string[] | 'all', scope: string): boolean {
  return scopes === 'all' || scopes.includes(scope)
}
