/**
 * A TCP proxy between node and broker that reads the MQTT packets that pass: it cuts the connection at a named point,
 * repeats a message, keeps messages to play them again, or lets nobody through.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A place on the way of a message: `before-documents` cuts before it is passed on, `after-documents` afterwards. */
export type LinkPoint = `${'before' | 'after'}-${string}`

interface Packet {
  readonly bytes: Buffer
  /** Last level of a PUBLISH's topic, else undefined. */
  readonly channel: string | undefined
}

interface Pair {
  readonly client: Socket
  readonly broker: Socket
  /** The node's end is gone, and the broker is not to notice. */
  orphaned: boolean
}

export class MqttProxy {
  readonly #server: Server
  readonly #brokerPort: () => number
  readonly #pairs = new Set<Pair>()
  #blocked = false
  #cut: { point: LinkPoint; skip: number; done: () => void } | undefined
  #repeat: { channel: string; times: number } | undefined
  readonly #kept = new Map<string, Buffer[]>()
  /** Messages seen, by the topic's last level. */
  readonly seen = new Map<string, number>()
  /** Messages passed on, each repetition counted. */
  readonly passed = new Map<string, number>()

  private constructor(server: Server, brokerPort: () => number) {
    this.#server = server
    this.#brokerPort = brokerPort
    server.on('connection', (socket) => this.#accept(socket))
  }

  static async listen(brokerPort: () => number): Promise<MqttProxy> {
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new MqttProxy(server, brokerPort)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts all connections at the point's message, after letting `skip` of them pass; resolves when it has. */
  cutAt(point: LinkPoint, skip = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#cut = { point, skip, done: resolve }
    })
  }

  /** Every message of the channel is passed on `times` times; undefined ends it. */
  repeat(channel: string | undefined, times = 5): void {
    this.#repeat = channel === undefined ? undefined : { channel, times }
  }

  /** Messages of the channel that passed, as bytes for `replay`. */
  kept(channel: string): readonly Buffer[] {
    return this.#kept.get(channel) ?? []
  }

  /** Sends bytes that passed before once more, to the node or to the broker. */
  replay(bytes: Buffer, to: 'node' | 'broker'): void {
    for (const { client, broker } of this.#pairs) (to === 'node' ? client : broker).write(bytes)
  }

  /** Cuts everything and refuses new connections until `unblock`. */
  block(): void {
    this.#blocked = true
    this.dropAll()
  }

  unblock(): void {
    this.#blocked = false
  }

  dropAll(): void {
    for (const { client, broker } of this.#pairs) {
      client.destroy()
      broker.destroy()
    }
  }

  /** Cuts the node off while the broker goes on believing in the connection, as after a cable was pulled. */
  orphan(): void {
    for (const pair of this.#pairs) {
      pair.orphaned = true
      pair.client.destroy()
    }
  }

  async close(): Promise<void> {
    this.dropAll()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    if (this.#blocked) {
      client.destroy()
      return
    }
    const broker = connect({ port: this.#brokerPort(), host: '127.0.0.1', noDelay: true })
    const pair: Pair = { client, broker, orphaned: false }
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    const endOfClient = () => {
      if (!pair.orphaned) end()
    }
    // A reset is one of the things under test.
    for (const event of ['error', 'close']) {
      client.on(event, endOfClient)
      broker.on(event, end)
    }
    this.#pump(client, broker)
    this.#pump(broker, client)
  }

  #pump(from: Socket, to: Socket): void {
    let buffer: Buffer = Buffer.alloc(0)
    from.on('data', (chunk: Buffer) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
      for (let packet = takePacket(buffer); packet !== undefined; packet = takePacket(buffer)) {
        buffer = buffer.subarray(packet.bytes.length)
        if (!this.#pass(packet, to)) return
      }
    })
  }

  #pass({ bytes, channel }: Packet, to: Socket): boolean {
    if (channel === undefined) return to.write(bytes) || true
    this.seen.set(channel, (this.seen.get(channel) ?? 0) + 1)
    const kept = this.#kept.get(channel) ?? []
    if (kept.length < 50) this.#kept.set(channel, [...kept, Buffer.from(bytes)])
    const cut = this.#cut
    const here = isHere(cut, channel)
    if (!here || cut?.point.startsWith('after')) {
      const times = this.#repeat?.channel === channel ? this.#repeat.times : 1
      for (let i = 0; i < times; i++) to.write(bytes)
      this.passed.set(channel, (this.passed.get(channel) ?? 0) + times)
    }
    if (!here || cut === undefined) return true
    this.#cut = undefined
    // What was passed on has to leave before the connection is cut.
    if (cut.point.startsWith('after')) setTimeout(() => this.dropAll(), 5)
    else this.dropAll()
    cut.done()
    return cut.point.startsWith('after')
  }
}

/** Whether this message is the one to cut at; counts those that may pass. */
function isHere(cut: { point: LinkPoint; skip: number } | undefined, channel: string): boolean {
  if (!cut?.point.endsWith(`-${channel}`)) return false
  cut.skip -= 1
  return cut.skip < 0
}

const PUBLISH = 3

/** The first whole MQTT control packet of the bytes (MQTT 5, section 2.1). */
function takePacket(buffer: Buffer): Packet | undefined {
  let length = 0
  let at = 1
  for (let shift = 0; ; shift += 7, at++) {
    const byte = buffer[at]
    if (byte === undefined) return undefined
    length += (byte & 127) << shift
    if (byte < 128) break
  }
  const end = at + 1 + length
  if (buffer.length < end) return undefined
  const bytes = buffer.subarray(0, end)
  if ((buffer[0] ?? 0) >> 4 !== PUBLISH) return { bytes, channel: undefined }
  const topicLength = buffer.readUInt16BE(at + 1)
  const topic = buffer.toString('utf8', at + 3, at + 3 + topicLength)
  return { bytes, channel: topic.split('/').at(-1) }
}
