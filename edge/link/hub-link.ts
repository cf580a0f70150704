/**
 * The node's side of the sync with its hub.
 *
 * INVARIANTS: after each connect an inventory goes first, and documents only after the hub's welcome to the newest one;
 * an inventory without a welcome is repeated; a message that cannot be read is logged and has no other effect; nothing
 * here is lost for good: all that matters is in the outbox and the queue.
 */
import type { NodeServices } from '@fernlab/shared/contracts/services'
import type { Accepted, Inventory, Live } from '@fernlab/shared/contracts/sync'
import {
  acknowledgeSchema,
  cancelSchema,
  requestSchema,
  SYNC_VERSION,
  type Welcome,
  welcomeSchema,
} from '@fernlab/shared/contracts/sync'
import { parseTopic, type Topics } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import type { MqttLink, MqttMessage } from '@fernlab/shared/links/mqtt-link'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type TransitionTable, transition } from '@fernlab/shared/primitives/state-machine'
import { errorJson } from '../engine/error-json.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import type { Requests } from './requests.ts'

export type SyncState = 'away' | 'greeting' | 'synced'

export const syncTransitions: TransitionTable<SyncState> = {
  away: ['greeting'],
  greeting: ['greeting', 'synced', 'away'],
  synced: ['greeting', 'away'],
}

export interface HubLink {
  readonly state: SyncState
  /** Node's clock minus hub's clock, as the last welcome told that; it follows a node whose clock was set since. */
  readonly clockOffsetMs: number | undefined
  sendAccepted(accepted: Accepted): void
  sendServices(services: NodeServices): void
  /** Compares inventories again. */
  greet(): void
  close(): Promise<void>
}

export interface CreateHubLinkOptions {
  readonly link: MqttLink
  readonly site: string
  readonly node: string
  readonly topics: Topics
  readonly clock: Clock
  readonly log: Log
  readonly inbox: () => Inbox
  readonly queue: Queue
  readonly outbox: Outbox
  readonly requests: Requests
  readonly announce: () => Pick<Inventory, 'nodeVersion' | 'bootId' | 'benches' | 'instruments'>
  /** After each connect: publishes what is retained. */
  readonly onConnect: () => void
  /** After each welcome that answers an inventory: what only a synced hub takes. */
  readonly onWelcome: (hub: Pick<Welcome, 'serviceKeys' | 'pageOrigin'>) => void
  /** What is meant for links of clients by way of the hub. */
  readonly onLinks: (message: unknown) => void
  readonly greetAgainMs?: number
}

const GREET_AGAIN_MS = 5000
const LIVE_MS = 500
/** People who drive by hand look closely. */
const SESSION_LIVE_MS = 100
const GOODBYE_MS = 1000

export function createHubLink(options: CreateHubLinkOptions): HubLink {
  const { link, site, node, topics, clock, log, queue, outbox, requests } = options
  let state: SyncState = 'away'
  let serial = 0
  let sentAtMs = 0
  /** The hub's clock minus the node's monotonic one, which nobody sets. */
  let hubStartMs: number | undefined
  let cancelGreeting: (() => void) | undefined
  let cancelLive: (() => void) | undefined
  let refusalLogged = false
  let closed = false

  const move = (to: SyncState) => {
    if (state === 'away' && to === 'away') return
    state = transition(syncTransitions, state, to, 'the sync with the hub')
  }

  const send = (channel: 'inventory' | 'accepted' | 'live' | 'reply' | 'services', message: object) => {
    link.publish(topics.sync(node, channel), encode(message)).catch((thrown) => {
      log.debug({ channel, error: asLabError(thrown).message }, 'a message to the hub was not sent')
    })
  }

  const greet = () => {
    cancelGreeting?.()
    cancelGreeting = undefined
    if (closed || !link.connected) return
    move('greeting')
    serial++
    sentAtMs = clock.monotonic()
    send('inventory', {
      version: SYNC_VERSION,
      ...options.announce(),
      serial,
      timeMs: clock.now(),
      attempts: outbox.inventory(),
    } satisfies Inventory)
    cancelGreeting = clock.after(options.greetAgainMs ?? GREET_AGAIN_MS, greet)
  }

  const welcome = (message: unknown) => {
    const { serial: answered, hubTimeMs, attempts, ...hub } = welcomeSchema.parse(message)
    if (answered !== serial || state === 'away') return
    // A second welcome to the same inventory: the hub misses documents and says from where on.
    if (state === 'greeting') {
      cancelGreeting?.()
      cancelGreeting = undefined
      move('synced')
      // As if the hub had looked at its clock half-way between question and answer (RFC 5905, without the second sample).
      hubStartMs = hubTimeMs - (sentAtMs + clock.monotonic()) / 2
      outbox.connect((documents) => link.publish(topics.sync(node, 'documents'), documents))
      options.onWelcome(hub)
    }
    for (const key of outbox.welcomed(attempts)) {
      log.info({ run: key.runId, attempt: key.attempt }, 'the hub does not want an attempt any more')
      queue.drop(key)
    }
  }

  const request = (message: unknown) => {
    const { id, method, params, deadlineMs } = requestSchema.parse(message)
    requests.answer(method, params, deadlineMs).then(
      (result) => send('reply', { id, result }),
      (thrown) => send('reply', { id, error: errorJson(asLabError(thrown)) }),
    )
  }

  const receive = (message: MqttMessage) => {
    const topic = parseTopic(site, message.topic)
    if (topic === undefined) return
    if (topic.kind === 'hub-status') {
      if (Buffer.from(message.payload).toString('utf8') === 'offline') outbox.connect(undefined)
      // A hub that has just come back has not seen the inventory, and does not know where documents go on.
      else if (!message.retained) {
        outbox.connect(undefined)
        greet()
      }
      return
    }
    if (topic.kind !== 'sync' || topic.node !== node) return
    const body = decode(message.payload)
    switch (topic.channel) {
      case 'welcome':
        return welcome(body)
      case 'assign':
        return options.inbox().receive(body)
      case 'acknowledge':
        for (const { runId, attempt, seq } of acknowledgeSchema.parse(body).upTo)
          outbox.acknowledged({ runId, attempt }, seq)
        return
      case 'cancel':
        for (const { runId, attempt, reason } of cancelSchema.parse(body).cancels)
          queue.cancel({ runId, attempt }, reason)
        return
      case 'request':
        return request(body)
      case 'links-down':
        return options.onLinks(body)
      default:
        return
    }
  }

  let allSentAt = Number.NEGATIVE_INFINITY
  const live = () => {
    cancelLive = undefined
    if (closed) return
    cancelLive = clock.after(queue.seated ? SESSION_LIVE_MS : LIVE_MS, live)
    if (state !== 'synced') return
    const all = clock.monotonic() - allSentAt >= LIVE_MS - SESSION_LIVE_MS / 2
    if (all) allSentAt = clock.monotonic()
    const runs = queue.live(all ? 'all' : 'sessions')
    if (runs.length > 0) send('live', { runs } satisfies Live)
  }

  link.onMessage((message) => {
    try {
      receive(message)
    } catch (thrown) {
      log.warn(
        { topic: message.topic, error: thrown instanceof Error ? thrown.message.slice(0, 500) : String(thrown) },
        'a message was not understood',
      )
    }
  })
  link.onConnect(() => {
    if (closed) return
    refusalLogged = false
    options.onConnect()
    greet()
  })
  link.onDisconnect((_reason, refused) => {
    if (refused && !refusalLogged) {
      refusalLogged = true
      log.error(
        { node },
        'the hub refuses this node’s credential: it was revoked, replaced or never given; enrol the node again',
      )
    }
    outbox.connect(undefined)
    cancelGreeting?.()
    cancelGreeting = undefined
    move('away')
  })
  cancelLive = clock.after(LIVE_MS, live)

  return {
    get state() {
      return state
    },
    get clockOffsetMs() {
      return hubStartMs === undefined ? undefined : Math.round(clock.now() - clock.monotonic() - hubStartMs)
    },
    sendAccepted: (accepted) => send('accepted', accepted),
    sendServices: (services) => {
      if (state === 'synced') send('services', services)
    },
    greet,
    close: async () => {
      closed = true
      cancelGreeting?.()
      cancelLive?.()
      outbox.connect(undefined)
      if (link.connected) {
        // A broker that has stopped answering must not keep the node from closing its database.
        const said = link.publish(topics.nodeStatus(node), 'offline', { retain: true, qos: 1 }).catch(() => {})
        let cancel = () => {}
        const late = new Promise<void>((resolve) => {
          cancel = clock.after(GOODBYE_MS, resolve)
        })
        await Promise.race([said, late])
        cancel()
      }
      await link.close()
    },
  }
}
