/**
 * The embedded MQTT broker (3.1.1 and 5): who may connect, and what passes.
 *
 * INVARIANTS: no packet of a client is published, and none is handed to one, that topic-rules.ts does not allow; client
 * ids live in a name space of their credential, so that none can take over another's connection; sessions end with their
 * connection (what must survive is repaired by inventories, so nothing is stored for absent clients); a client that is
 * cut off publishes and receives nothing from then on; no integrator, however slow, holds up who publishes; what an
 * integrator publishes is the hub's alone, and a connection is read on once that was done.
 */
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { isName } from '@fernlab/shared/primitives/ids'
import type { Log } from '@fernlab/shared/primitives/log'
import { Aedes, type AuthenticateError, type Client } from 'aedes'
import { TOKEN_PREFIX } from '../accounts/tokens.ts'
import type { FaultHook } from '../fault-point.ts'
import { createLossLog } from './loss-log.ts'
import { markFaultPoints } from './mark-fault-points.ts'
import { type Identity, mayPublish, mayReceive, maySubscribe } from './topic-rules.ts'

/** The largest MQTT packet that is taken. */
export const MAX_PACKET_BYTES = 16 * 1024 * 1024
/** The same before a client has signed in: a CONNECT with its will is far below. */
const STRANGER_PACKET_BYTES = 64 * 1024
/** An integrator that leaves more than this unread is cut; one packet it may always be behind. */
const MOST_UNREAD_BYTES = MAX_PACKET_BYTES
/** How long a client that is cut off may take to read why. */
const GOODBYE_MS = 1000

export interface BrokerMessage {
  readonly topic: string
  readonly payload: Uint8Array
}

/** The integrator who published a message. */
export interface Sender {
  readonly tokenId: string
  readonly personId: string
  /** Undefined for a connection of the hub's own process. */
  readonly address: string | undefined
  /** True once it was cut off: what it sent before is no longer to be done. */
  readonly isCut: () => boolean
}

export interface Broker {
  /** Serves one client on a connection that comes from the address. */
  handle(stream: Duplex, address?: string): void
  /** Hands a message of the hub to those who subscribed. */
  publish(topic: string, payload: Uint8Array | string, options?: { retain?: boolean }): void
  /** Calls back for every message that matches, whoever published it. */
  subscribe(filter: string, listener: (message: BrokerMessage) => void): Promise<void>
  /** Calls back for every message of an integrator; nothing more of its connection is read before that has resolved. */
  onIntegrator(listener: (message: BrokerMessage, sender: Sender) => Promise<void>): void
  /** False when it is certain that no client subscribed to anything that the topic could match. */
  mayHaveListeners(topic: string): boolean
  /** Cuts every connection of the identities that match, at once, also those that are just signing in. */
  disconnect(matches: (identity: Identity) => boolean): void
  /** Of those connected now. */
  identities(): Identity[]
  readonly clients: number
  close(): Promise<void>
}

export interface CreateBrokerOptions {
  readonly site: string
  /** The identity behind a user name and password; undefined: refused. */
  readonly authenticate: (username: string, password: string) => Promise<Identity | undefined>
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

/** Starts the broker without any listener. */
export async function createBroker(options: CreateBrokerOptions): Promise<Broker> {
  const { site, authenticate, clock, log, faultPoint } = options
  const identities = new WeakMap<Client, Identity>()
  const present = new Set<Client>()
  const cutOff = new WeakSet<Client>()
  /** Those who are signing in, with what was cut since their credential was looked up. */
  const arriving = new Set<{ readonly cut: ((identity: Identity) => boolean)[] }>()
  const losses = createLossLog(log)
  const addresses = new WeakMap<Client, string>()
  let heedIntegrator: Parameters<Broker['onIntegrator']>[0] = async () => {}

  const refuse = (message: string, returnCode: 3 | 4): AuthenticateError =>
    Object.assign(new Error(message), { returnCode })
  const aedes = new Aedes({
    concurrency: 10_000,
    connectTimeout: 10_000,
    drainTimeout: 30_000,
    queueLimit: 1000,
    maximumPacketSize: MAX_PACKET_BYTES,
    maxTopicLevels: 20,
    authenticate: (client, username, password, done) => {
      const secret = password === undefined ? '' : Buffer.from(password).toString('utf8')
      const arrival = { cut: [] as ((identity: Identity) => boolean)[] }
      arriving.add(arrival)
      authenticate(username ?? '', secret).then(
        (identity) => {
          arriving.delete(arrival)
          if (identity === undefined || arrival.cut.some((matches) => matches(identity))) {
            const name = loggable(username ?? '')
            losses.lost(`refused:${name}`, { username: name }, 'a client with a wrong credential was refused')
            done(refuse('bad user name or password', 4), null)
            return
          }
          if (client.closed) return
          admit(client, identity)
          // A node has one connection: a newer one replaces a dead one. Integrators may have many.
          Object.assign(client, {
            id: identity.kind === 'node' ? `node/${identity.node}` : `token/${identity.tokenId}/${client.id}`,
          })
          done(null, true)
        },
        (error: unknown) => {
          arriving.delete(arrival)
          log.error({ error: String(error) }, 'a credential could not be checked')
          done(refuse('try again', 3), null)
        },
      )
    },
    authorizePublish: (client, packet, done) => {
      // Without a client this is a will of a connection that is gone without trace: nobody vouches for it.
      const identity = client === null || isSilent(client) ? undefined : identities.get(client)
      const { topic, retain } = packet
      if (identity !== undefined && mayPublish(site, identity, topic, retain)) return done(null)
      const who = identity === undefined ? 'a stranger' : nameOf(identity)
      losses.lost(`publish:${who}/${retain}`, { who, topic, retain }, 'a message that is not allowed was dropped')
      done(new Error('not authorized'))
    },
    authorizeSubscribe: (client, subscription, done) => {
      const identity = identities.get(client)
      if (identity !== undefined && maySubscribe(site, identity, subscription.topic)) return done(null, subscription)
      const who = identity === undefined ? 'a stranger' : nameOf(identity)
      losses.lost(`subscribe:${who}`, { who, filter: subscription.topic }, 'a subscription was refused')
      done(null, null)
    },
    authorizeForward: (client, packet) => {
      const identity = identities.get(client)
      if (identity === undefined || cutOff.has(client) || !mayReceive(site, identity, packet.topic)) return null
      if (identity.kind === 'node' || connectionOf(client).writableLength <= MOST_UNREAD_BYTES) return packet
      losses.lost(`slow:${nameOf(identity)}`, { who: nameOf(identity) }, 'a client that does not read was cut')
      connectionOf(client).destroy()
      return null
    },
    published: ({ topic, payload }, client, done) => {
      const identity = client === null ? undefined : identities.get(client)
      if (client === null || identity?.kind !== 'integrator') return done()
      const { tokenId, personId } = identity
      const sender = { tokenId, personId, address: addresses.get(client), isCut: () => cutOff.has(client) }
      heedIntegrator({ topic, payload: Buffer.from(payload) }, sender).then(
        () => done(),
        (error: unknown) => {
          log.error({ topic, error: String(error) }, 'a message of an integrator could not be taken')
          done()
        },
      )
    },
  })
  const inner = aedes as unknown as AedesInside
  inner.clampSessionExpiry = () => 0
  /** The broker as a client sees it that has not signed in. */
  const stranger: Aedes = Object.create(aedes, { maximumPacketSize: { value: STRANGER_PACKET_BYTES } })
  stampAtEmit(inner)
  if (faultPoint !== undefined) markFaultPoints(aedes, site, faultPoint)
  await aedes.listen()

  const admit = (client: Client, identity: Identity) => {
    const own = client as Client & ClientInside
    own.broker = aedes
    identities.set(client, identity)
    present.add(client)
    own.conn.once('close', () => present.delete(client))
    if (identity.kind === 'node') return
    // A message counts as published once all who subscribed have it: an integrator's is its own affair.
    for (const deliver of ['deliver0', 'deliverQoS'] as const) {
      const original = own[deliver]
      own[deliver] = (packet, done) => {
        original(packet, () => {})
        done()
      }
    }
  }
  /** Cut off, and not closed yet: from then on only its will is published. */
  const isSilent = (client: Client) => cutOff.has(client) && !client.closed
  const cut = (client: Client) => {
    if (cutOff.has(client)) return
    cutOff.add(client)
    // 0x87: not authorized. A connection that takes nothing more is not waited for.
    if (client.connected) client.disconnect({ reasonCode: 0x87 })
    const connection = connectionOf(client)
    connection.once(
      'close',
      clock.after(GOODBYE_MS, () => connection.destroy()),
    )
  }

  // One that was cut while it was being registered.
  aedes.on('clientReady', (client) => {
    if (cutOff.has(client)) client.disconnect({ reasonCode: 0x87 })
  })
  aedes.on('clientError', (client, error) => {
    if (error.message !== 'not authorized') log.debug({ client: client.id, error: error.message }, 'a client failed')
  })
  aedes.on('connectionError', (_, error) => log.debug({ error: error.message }, 'a connection failed'))
  const events: EventEmitter = aedes
  events.on('error', (error: unknown) => log.error({ error: String(error) }, 'the broker failed'))

  const listening = new Map<Client, Set<string>>()
  const heard = new Map<string, boolean>()
  aedes.on('subscribe', (subscriptions, client) => {
    const filters = listening.get(client) ?? new Set()
    for (const { topic, qos } of subscriptions) if (qos < 128) filters.add(topic)
    listening.set(client, filters)
    heard.clear()
  })
  aedes.on('unsubscribe', (filters, client) => {
    for (const filter of filters) listening.get(client)?.delete(filter)
    heard.clear()
  })
  aedes.on('clientDisconnect', (client) => {
    listening.delete(client)
    heard.clear()
  })
  const isHeard = (topic: string): boolean => {
    for (const filters of listening.values()) {
      for (const filter of filters) if (couldMatch(filter, topic)) return true
    }
    return false
  }

  let closing: Promise<void> | undefined
  return {
    handle: (stream, address) => {
      // A closed broker would leave the client without an answer until its patience ends.
      if (closing !== undefined) {
        stream.destroy()
        return
      }
      const client = aedes.handle(stream) as Client & ClientInside
      client.broker = stranger
      if (address !== undefined) addresses.set(client, address)
    },
    publish: (topic, payload, { retain = false } = {}) => {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : asBuffer(payload)
      aedes.publish({ cmd: 'publish', topic, payload: bytes, qos: 0, dup: false, retain }, (error) => {
        if (error) log.warn({ topic, error: error.message }, 'a message was not published')
      })
    },
    subscribe: (filter, listener) =>
      new Promise((resolve) => {
        aedes.subscribe(
          filter,
          ({ topic, payload }, done) => {
            listener({ topic, payload: typeof payload === 'string' ? Buffer.from(payload) : payload })
            done()
          },
          resolve,
        )
      }),
    onIntegrator: (listener) => {
      heedIntegrator = listener
    },
    mayHaveListeners: (topic) => {
      let known = heard.get(topic)
      if (known === undefined) {
        known = isHeard(topic)
        if (heard.size < 1000) heard.set(topic, known)
      }
      return known
    },
    disconnect: (matches) => {
      for (const client of present) {
        const identity = identities.get(client)
        if (identity !== undefined && matches(identity)) cut(client)
      }
      for (const arrival of arriving) arrival.cut.push(matches)
    },
    identities: () => [...present].flatMap((client) => (cutOff.has(client) ? [] : (identities.get(client) ?? []))),
    get clients() {
      return aedes.connectedClients
    },
    close: () => {
      closing ??= new Promise((resolve) => aedes.close(() => resolve()))
      return closing
    },
  }
}

type Deliver = (packet: object, done: () => void) => void

interface ClientInside {
  broker: Aedes
  readonly conn: Duplex
  deliver0: Deliver
  deliverQoS: Deliver
}

const connectionOf = (client: Client): Duplex => (client as Client & ClientInside).conn

interface AedesInside {
  counter: number
  clampSessionExpiry(seconds: number): number
  mq: { emit(packet: { brokerCounter?: number }, done: () => void): void }
}

/**
 * aedes drops a message whose counter is below the last one that a client got, and counts before it stores retained
 * ones: an unretained message that overtakes a retained one would make the latter vanish. Counting at the hand-over
 * keeps every message, each client once.
 */
function stampAtEmit(broker: AedesInside): void {
  const { mq } = broker
  const emit = mq.emit.bind(mq)
  mq.emit = (packet, done) => {
    packet.brokerCounter = ++broker.counter
    emit(packet, done)
  }
}

/** MQTT's topic filter match. */
export function couldMatch(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const parts = filter.split('/')
  for (const [at, part] of parts.entries()) {
    if (part === '#') return true
    if (at >= levels.length || (part !== '+' && part !== levels[at])) return false
  }
  return parts.length === levels.length
}

/** What is no name, or looks like a token, may be a secret in the wrong field. */
function loggable(username: string): string {
  return isName(username) && !username.startsWith(TOKEN_PREFIX) ? username : 'no valid name'
}

function nameOf(identity: Identity): string {
  return identity.kind === 'node' ? `node ${identity.node}` : `token ${identity.tokenId}`
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
