/**
 * The hub's side of the sync, as a test wants it: a real broker, and a peer that acknowledges or holds back. What it says and
 * hears is held against the schemas of the sync; `close` throws what does not fit.
 */
import { createServer, type Server } from 'node:net'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { type NodeServices, nodeServicesSchema, type ServiceKey } from '@fernlab/shared/contracts/services'
import {
  type Accepted,
  type Assignment,
  acceptedSchema,
  documentsSchema,
  type Inventory,
  inventorySchema,
  type Live,
  liveSchema,
  replySchema,
} from '@fernlab/shared/contracts/sync'
import { type HubToNode, parseTopic, topics as topicsOf } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import { connectedPair } from '@fernlab/shared/links/in-process'
import { type MqttLink, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { newRunId } from '@fernlab/shared/primitives/ids'
import type { LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { Aedes } from 'aedes'
import { SyncMessages } from '../sync-messages.ts'

export const SITE = 'test'

export interface ScriptedHub {
  readonly broker: Aedes
  readonly port: number
  /** Every document that arrived, in order of arrival, doubles included. */
  readonly arrived: NodeDocument[]
  /** As told, or as a start document says. */
  readonly accepted: Accepted['accepted']
  readonly refused: Accepted['refused']
  readonly inventories: Inventory[]
  readonly live: Live['runs']
  /** What the node has told of its services, the newest last. */
  readonly services: NodeServices[]
  /** Told with each welcome. */
  serviceKeys: ServiceKey[] | undefined
  pageOrigin: string | undefined
  /** Latest retained payload by topic. */
  readonly retained: Map<string, string>
  acknowledging: boolean
  /** Whether documents may come with a gap, as they do until the inventories were compared. */
  repairing: boolean
  welcoming: boolean
  /** Documents below it are committed here. */
  committed(runId: string, attempt: number): number
  /** The attempt's documents in order of seq, each once. */
  documents(runId: string, attempt?: number): NodeDocument[]
  assign(...assignments: Assignment[]): Promise<void>
  cancel(runId: string, attempt: number, reason: string): Promise<void>
  call(method: string, params: object, deadlineMs?: number): Promise<unknown>
  /** Waits until it holds; looks after every message. */
  until(what: string, holds: () => boolean, ms?: number): Promise<void>
  stopped(runId: string, attempt?: number): NodeDocument | undefined
  /** Takes the hub away from the broker, and back. */
  away(): Promise<void>
  back(): Promise<void>
  /** A connection for a node in this process. */
  link(): ReturnType<typeof connectedPair>[0]
  close(): Promise<void>
}

export async function startScriptedHub(node: string): Promise<ScriptedHub> {
  const broker = await Aedes.createBroker()
  const server: Server = createServer({ noDelay: true }, (socket) => broker.handle(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const topics = topicsOf(SITE)
  const arrived: NodeDocument[] = []
  const accepted: Accepted['accepted'] = []
  const refused: Accepted['refused'] = []
  const inventories: Inventory[] = []
  const live: Live['runs'] = []
  const services: NodeServices[] = []
  const retained = new Map<string, string>()
  const committed = new Map<string, number>()
  const held = new Map<string, NodeDocument>()
  const replies = new Map<string, (reply: { result?: unknown; error?: LabErrorJson | undefined }) => void>()
  const looks = new Set<() => void>()
  let peer: MqttLink | undefined
  let calls = 0

  const messages = new SyncMessages()
  const send = (channel: HubToNode, message: object) => {
    messages.heard(channel, message)
    return peer?.publish(topics.sync(node, channel), encode(message)) ?? Promise.resolve()
  }

  const keyOf = (runId: string, attempt: number) => `${runId}/${attempt}`

  const receive = (topic: string, payload: Uint8Array) => {
    const parsed = parseTopic(SITE, topic)
    if (parsed?.kind !== 'sync') return
    const body = decode(payload)
    messages.heard(parsed.channel, body)
    switch (parsed.channel) {
      case 'inventory': {
        const inventory = inventorySchema.parse(body)
        inventories.push(inventory)
        if (!hub.welcoming) return
        const attempts = inventory.attempts.map(({ runId, attempt }) => ({
          runId,
          attempt,
          seq: committed.get(keyOf(runId, attempt)) ?? 0,
          wanted: true,
        }))
        hub.repairing = false
        const { serviceKeys, pageOrigin } = hub
        const keys = { ...(serviceKeys && { serviceKeys }), ...(pageOrigin && { pageOrigin }) }
        void send('welcome', { serial: inventory.serial, hubTimeMs: Date.now(), attempts, ...keys })
        return
      }
      case 'accepted': {
        const message = acceptedSchema.parse(body)
        accepted.push(...message.accepted)
        refused.push(...message.refused)
        return
      }
      case 'documents': {
        const { documents } = documentsSchema.parse(body)
        const upTo = new Map<string, { runId: string; attempt: number; seq: number }>()
        for (const document of documents) {
          arrived.push(document)
          const { runId, attempt, seq } = document
          const key = keyOf(runId, attempt)
          const next = committed.get(key) ?? 0
          // Those between were sent while this hub was away; the node sends them again after an inventory.
          if (seq > next && !hub.repairing) throw new Error(`document ${seq} of ${key} came before ${next}`)
          if (seq === next) {
            if (document.name === 'start' && !accepted.some((one) => keyOf(one.runId, one.attempt) === key)) {
              accepted.push({ runId, attempt })
            }
            committed.set(key, seq + 1)
            held.set(`${key}/${seq}`, document)
          }
          upTo.set(key, { runId, attempt, seq: committed.get(key) ?? 0 })
        }
        if (hub.acknowledging) void send('acknowledge', { upTo: [...upTo.values()] })
        return
      }
      case 'live':
        live.push(...liveSchema.parse(body).runs)
        return
      case 'services':
        services.push(nodeServicesSchema.parse(body))
        return
      case 'reply': {
        const reply = replySchema.parse(body)
        replies.get(reply.id)?.(reply as { result?: unknown; error?: LabErrorJson })
        replies.delete(reply.id)
        return
      }
      default:
    }
  }

  const back = async () => {
    const link = openMqttLink({
      to: () => {
        const [mine, theirs] = connectedPair()
        broker.handle(theirs)
        return mine
      },
      clientId: 'hub',
      filters: [...topics.hubFilters, `${topics.base}/nodes/+/instruments/+/+`],
      log: silentLog,
      reconnectMs: 50,
    })
    link.onMessage(({ topic, payload }) => {
      try {
        receive(topic, payload)
      } catch (error) {
        failure = error
      }
      for (const look of [...looks]) look()
    })
    await new Promise<void>((resolve) => link.onConnect(resolve))
    peer = link
    await link.publish(topics.hubStatus, 'online')
  }
  let failure: unknown

  const hub: ScriptedHub = {
    broker,
    port,
    arrived,
    accepted,
    refused,
    inventories,
    live,
    services,
    serviceKeys: undefined,
    pageOrigin: undefined,
    retained,
    acknowledging: true,
    repairing: false,
    welcoming: true,
    committed: (runId, attempt) => committed.get(keyOf(runId, attempt)) ?? 0,
    documents: (runId, attempt = 1) => {
      const key = keyOf(runId, attempt)
      const found: NodeDocument[] = []
      for (let seq = 0; ; seq++) {
        const document = held.get(`${key}/${seq}`)
        if (document === undefined) return found
        found.push(document)
      }
    },
    assign: (...assignments) => send('assign', { assignments }),
    cancel: (runId, attempt, reason) => send('cancel', { cancels: [{ runId, attempt, reason }] }),
    call: async (method, params, deadlineMs = 5000) => {
      const id = `call-${++calls}`
      const answered = new Promise<{ result?: unknown; error?: LabErrorJson | undefined }>((resolve) =>
        replies.set(id, resolve),
      )
      await send('request', { id, method, params, deadlineMs })
      const { result, error } = await answered
      if (error !== undefined) throw Object.assign(new Error(error.message), { code: error.code })
      return result
    },
    until: (what, holds, ms = 15_000) =>
      new Promise((resolve, reject) => {
        const end = (error?: unknown) => {
          clearTimeout(timer)
          clearInterval(often)
          looks.delete(look)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = () => {
          if (failure !== undefined) end(failure)
          else if (holds()) end()
        }
        const timer = setTimeout(() => end(new Error(`not within ${ms} ms: ${what}`)), ms)
        const often = setInterval(look, 20)
        looks.add(look)
        look()
      }),
    stopped: (runId, attempt = 1) => hub.documents(runId, attempt).find(({ name }) => name === 'stop'),
    away: async () => {
      hub.repairing = true
      await peer?.close()
      peer = undefined
    },
    back,
    link: () => {
      const [mine, theirs] = connectedPair()
      broker.handle(theirs)
      return mine
    },
    close: async () => {
      await peer?.close()
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise<void>((resolve) => server.close(() => resolve()))
      messages.require()
    },
  }
  // At the broker itself: aedes drops a retained message at clients when another overtakes it while it is stored.
  broker.on('publish', ({ topic, payload, retain }) => {
    if (retain) retained.set(topic, Buffer.from(payload).toString('utf8'))
  })
  await back()
  return hub
}

let fences = 0

/** An assignment of a protocol given as YAML-parsed data. */
export function assignmentOf(definition: unknown, more: Partial<Assignment> = {}): Assignment {
  return {
    runId: newRunId(Date.now()),
    attempt: 1,
    fence: ++fences,
    bench: 'bench-1',
    lab: 'a-lab',
    protocol: 'a-protocol',
    protocolDigest: 'digest',
    definition,
    parameters: {},
    limits: {},
    maxSeconds: 60,
    ...more,
  }
}
