import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Scalar } from '@fernlab/shared/capabilities/signals'
import { type LiveMethod, liveMethods, liveNotifications, type Session } from '@fernlab/shared/contracts/sessions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { readRpc, rpcError, rpcNotification, rpcResult } from '@fernlab/shared/rpc/envelope'
import { type WebSocket, WebSocketServer } from 'ws'
import type { SessionCalls, SessionNotices } from '../../../hub/web/src/session/wire.ts'
import type { KeptPromises } from './kept-promises.ts'

export interface HeardCall {
  readonly method: string
  readonly params: Record<string, unknown>
}

export interface FakeSessionOptions {
  readonly session: Session
  /** By `part.signal`. */
  readonly units: ReadonlyMap<string, string>
  readonly me: { id: string; name: string }
  readonly promises: KeptPromises
}

/** A live session that a test holds in its hand: it answers commands as a bench would, and tells what the test says. */
export class FakeSession {
  session: Session
  /** What the pages called, oldest first. */
  readonly heard: HeardCall[] = []
  /** The bench's values by `part.signal`; what is set stands here. */
  readonly values = new Map<string, Scalar>()
  /** While set, answers to `set` and `call` wait for it. */
  answering: Promise<void> = Promise.resolve()
  /** What is refused, by signal or action, with the reason. */
  readonly refused = new Map<string, string>()
  /** While true, no page gets in. */
  isDeaf = false
  readonly #units: ReadonlyMap<string, string>
  readonly #server = new WebSocketServer({ noServer: true })
  readonly #me: { id: string; name: string }
  readonly #promises: KeptPromises
  readonly #said: SessionNotices['chat'][] = []
  #listening: (() => void)[] = []

  constructor({ session, units, me, promises }: FakeSessionOptions) {
    this.session = session
    this.#units = units
    this.#me = me
    this.#promises = promises
  }

  get viewers(): number {
    return this.#server.clients.size
  }

  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.isDeaf) {
      socket.destroy()
      return
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      opened.on('message', (data) => void this.#answer(opened, String(data)))
      this.#tellOne(opened, 'people', { people: [{ ...this.#me, role: 'owner' }], ...this.#control() })
      this.#tellOne(opened, 'session', this.session)
      this.#tellOne(opened, 'said', { lines: this.#said })
      this.#changed()
    })
  }

  /** Sends a notification to every page. */
  tell<Name extends keyof SessionNotices>(name: Name, params: SessionNotices[Name]): void {
    for (const client of this.#server.clients) this.#tellOne(client, name, params)
  }

  /** Goes on to another state, and tells. */
  become(more: Partial<Session>): void {
    this.session = { ...this.session, ...more }
    this.tell('session', this.session)
    this.#changed()
  }

  /** Reads the values as they are, at a time of the bench's clock. */
  read(time: number, values: Readonly<Record<string, Scalar>> = {}): void {
    for (const [key, value] of Object.entries(values)) this.values.set(key, value)
    this.readMany(Object.fromEntries([...this.values].map(([key, value]) => [key, { time: [time], values: [value] }])))
  }

  readMany(samples: Readonly<Record<string, { time: number[]; values: Scalar[] }>>): void {
    this.tell('samples', {
      secondsLeft: this.#left(),
      samples: Object.fromEntries(
        Object.entries(samples).map(([key, some]) => [key, { unit: this.#units.get(key) ?? '1', ...some }]),
      ),
    })
  }

  /** A line of the chat, which those who come later are told as well. */
  say(from: { id: string; name: string }, text: string): void {
    const line = { id: `line-${this.#said.length + 1000}`, at: new Date().toISOString(), from, text }
    this.#said.push(line)
    this.tell('chat', line)
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const client of this.#server.clients) client.terminate()
  }

  /** Resolves when a page hears what is told: the panel stands before its link does, and no reading comes twice. */
  listened(): Promise<void> {
    return this.until(() => this.viewers > 0)
  }

  /** Resolves when the method was called. */
  called(method: keyof SessionCalls): Promise<void> {
    return this.until(() => this.heard.some((call) => call.method === method))
  }

  /** Resolves when a call, a change or a page that came made it true. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#listening.push(resolve))
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #changed(): void {
    for (const listener of this.#listening.splice(0)) listener()
  }

  #left(): number {
    return this.session.endsAt === undefined ? 0 : (Date.parse(this.session.endsAt) - Date.now()) / 1000
  }

  #tellOne<Name extends keyof SessionNotices>(client: WebSocket, name: Name, params: SessionNotices[Name]): void {
    this.#promises.message(`the session's ${name}`, liveNotifications[name], params)
    client.send(rpcNotification(name, params))
  }

  async #answer(client: WebSocket, text: string): Promise<void> {
    const read = readRpc(text)
    if (read.kind !== 'request') return
    const { id, method } = read.message
    const params = (read.message.params ?? {}) as Record<string, unknown>
    const known = liveMethods[method as LiveMethod] as (typeof liveMethods)[LiveMethod] | undefined
    this.#promises.message(`the page's call ${method}`, known?.params, params)
    this.heard.push({ method, params })
    this.#changed()
    await this.answering
    const refusal = this.#do(method, params)
    if (refusal !== undefined) {
      client.send(rpcError(id, refusal))
      return
    }
    const result = method === 'extend' || method === 'finish' ? this.session : null
    this.#promises.message(`the result of ${method}`, known?.result, result)
    client.send(rpcResult(id, result))
  }

  #control(): { readonly control?: Session['person'] } {
    return this.session.control === undefined ? {} : { control: this.session.control }
  }

  #do(method: string, params: Record<string, unknown>): LabError | undefined {
    const at = new Date().toISOString()
    switch (method) {
      case 'set': {
        const values = params.values as Record<string, Scalar>
        const why = Object.keys(values).flatMap((key) => this.refused.get(key) ?? [])[0]
        this.tell('command', { by: this.#me, command: { what: 'set', values }, outcome: why ?? 'done', at })
        if (why !== undefined) return refusal(why)
        for (const [key, value] of Object.entries(values)) this.values.set(key, value)
        return undefined
      }
      case 'call': {
        const action = String(params.action)
        const why = this.refused.get(action)
        this.tell('command', { by: this.#me, command: { what: 'call', action }, outcome: why ?? 'done', at })
        return why === undefined ? undefined : refusal(why)
      }
      case 'chat':
        this.say(this.#me, String(params.text))
        return undefined
      case 'control.give':
      case 'control.take': {
        const people = [this.session.person, ...this.session.partners]
        const control = people.find((one) => one.id === params.to) ?? this.#me
        this.session = { ...this.session, control }
        this.tell('session', this.session)
        return undefined
      }
      default:
        return new LabError({ code: 'method-unknown', kind: 'caller', message: method })
    }
  }
}

const refusal = (why: string) =>
  new LabError({ code: 'value-out-of-limits', kind: 'caller', message: `staff: ${why}`, studentMessage: why })
