/**
 * A node that does exactly what the test says, over a real connection to the hub's broker. What it says and hears is held
 * against the schemas of the sync; `close` throws what does not fit.
 */
import { type Duplex, PassThrough } from 'node:stream'
import type { AnnouncedCheck } from '@fernlab/shared/contracts/bench-checks'
import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import {
  type Acknowledge,
  type Assignment,
  type Inventory,
  SYNC_VERSION,
  type Welcome,
} from '@fernlab/shared/contracts/sync'
import { parseTopic, type SyncChannel, topics } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import { type MqttLink, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { silentLog } from '@fernlab/shared/primitives/log'
import { SyncMessages } from '../../support/sync-messages.ts'
import { type TestHub, until } from './hub-with-node.ts'

const map = topics('main')

export interface ScriptedNode {
  readonly name: string
  readonly link: MqttLink
  readonly assigned: Assignment[]
  readonly acknowledged: Acknowledge['upTo']
  readonly welcomes: Welcome[]
  readonly cancelled: { runId: string; attempt: number; reason: string }[]
  send(channel: SyncChannel, message: object): Promise<void>
  /** Sends an inventory and waits for its welcome; `fence` is the newest that each bench has seen. */
  greet(attempts?: Inventory['attempts'], fence?: number): Promise<Welcome>
  /** The next assignment that was not taken yet. */
  take(): Promise<Assignment>
  accept(assignment: Assignment): Promise<void>
  documents(...documents: NodeDocument[]): Promise<void>
  /** Highest acknowledged seq of the attempt. */
  upTo(runId: string, attempt: number): number
  /** Its connection breaks, and it does not find the hub. */
  leave(): Promise<void>
  /** It is connected again; what it says then is up to the test. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** `checks` are those of each bench, as the node announces them. */
export async function startScriptedNode(
  lab: TestHub,
  name: string,
  benches = ['b'],
  checks: readonly AnnouncedCheck[] = [],
): Promise<ScriptedNode> {
  const credential = await lab.hub.enrollInProcess(name)
  let connection: Duplex | undefined
  let isAway = false
  const link = openMqttLink({
    to: () => {
      connection = isAway ? new PassThrough().destroy() : lab.hub.connectInProcess()
      return connection
    },
    clientId: name,
    ...credential,
    will: { topic: map.nodeStatus(name), payload: 'offline' },
    filters: map.nodeFilters(name),
    reconnectMs: 50,
    log: silentLog,
  })
  const messages = new SyncMessages()
  const assigned: Assignment[] = []
  const acknowledged: Acknowledge['upTo'] = []
  const welcomes: Welcome[] = []
  const cancelled: ScriptedNode['cancelled'] = []
  let taken = 0
  let serial = 0
  link.onMessage(({ topic, payload }) => {
    const parsed = parseTopic('main', topic)
    if (parsed?.kind !== 'sync') return
    const message = decode(payload) as never
    messages.heard(parsed.channel, message)
    if (parsed.channel === 'assign') assigned.push(...(message as { assignments: Assignment[] }).assignments)
    if (parsed.channel === 'acknowledge') acknowledged.push(...(message as Acknowledge).upTo)
    if (parsed.channel === 'welcome') welcomes.push(message)
    if (parsed.channel === 'cancel') cancelled.push(...(message as { cancels: typeof cancelled }).cancels)
  })
  const send: ScriptedNode['send'] = (channel, message) => {
    messages.heard(channel, message)
    return link.publish(map.sync(name, channel), encode(message), { qos: 1 })
  }
  await until(() => link.connected, 'the connection')
  const node: ScriptedNode = {
    name,
    link,
    assigned,
    acknowledged,
    welcomes,
    cancelled,
    send,
    greet: async (attempts = [], fence = 0) => {
      const mine = ++serial
      const inventory: Inventory = {
        version: SYNC_VERSION,
        nodeVersion: '0',
        bootId: 'boot',
        serial: mine,
        timeMs: Date.now(),
        benches: benches.map((bench) => ({
          name: bench,
          parts: { box: 'box' },
          state: 'free',
          fence,
          checks: [...checks],
        })),
        instruments: [
          {
            name: 'box',
            driver: 'scripted',
            signals: [{ name: 'value', unit: '1', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' }],
            actions: [],
          },
        ],
        attempts,
      }
      await send('inventory', inventory)
      await until(() => welcomes.some((welcome) => welcome.serial === mine), 'the welcome')
      return welcomes.findLast((welcome) => welcome.serial === mine) as Welcome
    },
    take: async () => {
      await until(() => assigned.length > taken, 'an assignment')
      return assigned[taken++] as Assignment
    },
    accept: ({ runId, attempt }) => send('accepted', { accepted: [{ runId, attempt }], refused: [] }),
    documents: (...documents) => send('documents', { documents }),
    upTo: (runId, attempt) =>
      Math.max(-1, ...acknowledged.filter((a) => a.runId === runId && a.attempt === attempt).map(({ seq }) => seq)),
    leave: async () => {
      isAway = true
      connection?.destroy()
      await until(() => !link.connected, 'the end of the connection')
    },
    comeBack: async () => {
      isAway = false
      await until(() => link.connected, 'the connection')
    },
    close: async () => {
      await link.close()
      messages.require()
    },
  }
  await node.greet()
  return node
}

/** The documents of one attempt: start, descriptor, one page of two rows, stop. */
export function documentsOf(assignment: Assignment, stop: Partial<StopDoc> = {}): NodeDocument[] {
  const { runId, attempt, fence } = assignment
  const time = Date.now() / 1000
  const key = (seq: number) => ({ runId, attempt, seq })
  return [
    {
      ...key(0),
      name: 'start',
      doc: {
        time,
        node: 'n',
        bench: assignment.bench,
        lab: assignment.lab,
        protocol: assignment.protocol,
        protocolDigest: assignment.protocolDigest,
        parameters: assignment.parameters,
        fence,
        nodeVersion: '0',
      },
    },
    {
      ...key(1),
      name: 'descriptor',
      doc: {
        time,
        stream: 'primary',
        dataKeys: { 'box.value': { dtype: 'number', shape: [], unit: '1', source: 'box.value' } },
        configuration: {},
      },
    },
    {
      ...key(2),
      name: 'event_page',
      doc: {
        stream: 'primary',
        first: 0,
        count: 2,
        time: Float64Array.of(time, time),
        columns: { 'box.value': Float64Array.of(1, 2) },
      },
    },
    {
      ...key(3),
      name: 'stop',
      doc: {
        time,
        state: 'succeeded',
        reason: 'done',
        outputs: {},
        missingOutputs: {},
        rows: { primary: 2 },
        documents: 3,
        safeState: { reached: true },
        ...stop,
      },
    },
  ]
}
