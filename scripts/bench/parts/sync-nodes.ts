/**
 * Many simulated nodes that speak the sync contract: each takes a run, sends one documents message of ten rows at a
 * steady rate, and notes how long the hub took to acknowledge it.
 */
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { type Assignment, type Inventory, SYNC_VERSION } from '@fernlab/shared/contracts/sync'
import { parseTopic, topics as topicsOf } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import { type MqttLink, openMqttLink } from '@fernlab/shared/links/mqtt-link'
import { silentLog } from '@fernlab/shared/primitives/log'
import { spread } from '../framework/statistics.ts'

export interface NodeSignIn {
  readonly node: string
  readonly site: string
  readonly username: string
  readonly password: string
  /** One for the benchmarks' lab unless given. */
  readonly benches?: readonly { readonly name: string; readonly labs: string[] }[]
}

const ROWS = 10

class SyncNode {
  readonly #signIn: NodeSignIn
  readonly #link: MqttLink
  readonly #topics: ReturnType<typeof topicsOf>
  readonly #delaysMs: number[]
  readonly #sentAt = new Map<number, number>()
  #assignment: Assignment | undefined
  #seq = 0
  #rows = 0
  #serial = 0
  synced = false

  constructor(signIn: NodeSignIn, broker: string, delaysMs: number[]) {
    this.#signIn = signIn
    this.#delaysMs = delaysMs
    this.#topics = topicsOf(signIn.site)
    const { node, username, password } = signIn
    this.#link = openMqttLink({
      to: broker,
      clientId: `fernlab-node-${node}`,
      username,
      password,
      filters: this.#topics.nodeFilters(node),
      will: { topic: this.#topics.nodeStatus(node), payload: 'offline' },
      log: silentLog,
    })
    this.#link.onConnect(() => {
      void this.#link.publish(this.#topics.nodeStatus(node), 'online', { retain: true })
      this.#send('inventory', this.#inventory())
    })
    this.#link.onMessage(({ topic, payload }) => {
      const parsed = parseTopic(signIn.site, topic)
      if (parsed?.kind === 'sync') this.#receive(parsed.channel, decode(payload))
    })
  }

  get running(): boolean {
    return this.#assignment !== undefined
  }

  #send(channel: 'inventory' | 'accepted' | 'documents', message: unknown): void {
    void this.#link.publish(this.#topics.sync(this.#signIn.node, channel), encode(message))
  }

  #inventory(): Inventory {
    this.#serial += 1
    return {
      version: SYNC_VERSION,
      nodeVersion: 'bench',
      bootId: 'bench',
      serial: this.#serial,
      timeMs: Date.now(),
      benches: (this.#signIn.benches ?? [{ name: 'one', labs: ['bench-nothing'] }]).map((bench) => ({
        ...bench,
        parts: { box: 'box' },
        state: 'free',
      })),
      instruments: [
        {
          name: 'box',
          driver: 'simulated',
          signals: [
            { name: 'value', unit: '1', dtype: 'number', shape: [], kind: 'configuration', access: 'read-set' },
          ],
          actions: [],
        },
      ],
      attempts: [],
    }
  }

  #receive(channel: string, message: unknown): void {
    if (channel === 'welcome') this.synced = true
    if (channel === 'assign') {
      for (const assignment of (message as { assignments: Assignment[] }).assignments) this.#begin(assignment)
    }
    if (channel === 'acknowledge') {
      const now = performance.now()
      for (const { runId, seq } of (message as { upTo: { runId: string; seq: number }[] }).upTo) {
        if (runId !== this.#assignment?.runId) continue
        for (const [sent, atMs] of this.#sentAt) {
          if (sent >= seq) continue
          this.#delaysMs.push(now - atMs)
          this.#sentAt.delete(sent)
        }
      }
    }
  }

  #begin(assignment: Assignment): void {
    if (this.#assignment?.runId === assignment.runId) return
    const { runId, attempt, fence, bench, lab, protocol, protocolDigest, parameters } = assignment
    this.#assignment = assignment
    this.#seq = 0
    this.#rows = 0
    this.#send('accepted', { accepted: [{ runId, attempt }], refused: [] })
    const time = Date.now() / 1000
    const { node } = this.#signIn
    this.#document('start', {
      time,
      node,
      bench,
      lab,
      protocol,
      protocolDigest,
      parameters,
      fence,
      nodeVersion: 'bench',
    })
    const column = { dtype: 'number' as const, shape: [], unit: '1', source: 'box.value' }
    this.#document('descriptor', { time, stream: 'samples', dataKeys: { 'box.value': column }, configuration: {} })
  }

  #document<Name extends NodeDocument['name']>(name: Name, doc: Extract<NodeDocument, { name: Name }>['doc']): void {
    if (this.#assignment === undefined) return
    const { runId, attempt } = this.#assignment
    const seq = this.#seq++
    this.#sentAt.set(seq, performance.now())
    this.#send('documents', { documents: [{ runId, attempt, seq, name, doc }] })
  }

  /** One message of ten rows. */
  page(): void {
    const time = new Float64Array(ROWS).fill(Date.now() / 1000)
    const columns = { 'box.value': new Float64Array(ROWS).fill(1) }
    this.#document('event_page', { stream: 'samples', first: this.#rows, count: ROWS, time, columns })
    this.#rows += ROWS
  }

  stop(): void {
    this.#document('stop', {
      time: Date.now() / 1000,
      state: 'succeeded',
      reason: 'the protocol was completed',
      outputs: {},
      missingOutputs: {},
      rows: { samples: this.#rows },
      documents: this.#seq,
      safeState: { reached: true },
    })
  }

  /** Nothing waits for an acknowledgement. */
  get settled(): boolean {
    return this.#sentAt.size === 0
  }

  finish(): void {
    this.#assignment = undefined
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}

/** Methods of the part `sync-nodes`. */
export function open() {
  const nodes: SyncNode[] = []
  const delaysMs: number[] = []
  return {
    connect: async ({ broker, signIns }: { broker: string; signIns: readonly NodeSignIn[] }) => {
      for (const signIn of signIns) nodes.push(new SyncNode(signIn, broker, delaysMs))
      await eventually(() => nodes.every(({ synced }) => synced))
    },
    allRunning: () => eventually(() => nodes.every(({ running }) => running)),
    /** Each node sends `rateHz` messages a second for `seconds`, the nodes spread evenly over the interval. */
    load: async ({ rateHz, seconds }: { rateHz: number; seconds: number }) => {
      await eventually(() => nodes.every(({ settled }) => settled))
      delaysMs.length = 0
      const startedAt = performance.now()
      const periodMs = 1000 / rateHz
      await Promise.all(
        nodes.map(async (node, at) => {
          for (let i = 0; i < rateHz * seconds; i++) {
            const dueMs = startedAt + (at / nodes.length + i) * periodMs
            await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
            node.page()
          }
        }),
      )
      const elapsedMs = performance.now() - startedAt
      await eventually(() => nodes.every(({ settled }) => settled))
      const messages = delaysMs.length
      const delays = spread(delaysMs)
      for (const node of nodes) node.stop()
      await eventually(() => nodes.every(({ settled }) => settled))
      for (const node of nodes) node.finish()
      return { elapsedMs, messages, delays }
    },
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}
