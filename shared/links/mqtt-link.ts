/**
 * One side's connection to the broker, over TCP, TLS, WebSocket or a duplex in this process.
 *
 * INVARIANTS: subscriptions are in force before `onConnect` listeners run; nothing is queued while disconnected (what
 * must survive is in the outbox or the database, and repaired by inventories): `publish` then rejects at once. What is
 * published within one turn is one write: the packet writer corks the stream until the turn's promises have run.
 */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { LabError } from '../primitives/lab-error.ts'
import type { Log } from '../primitives/log.ts'

export interface MqttMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retained: boolean
}

export interface MqttLink {
  readonly connected: boolean
  /** Resolves when the packet is handed to the connection (QoS 0) or acknowledged by the broker (QoS 1). */
  publish(topic: string, payload: Uint8Array | string, options?: { retain?: boolean; qos?: 0 | 1 }): Promise<void>
  onMessage(listener: (message: MqttMessage) => void): void
  onConnect(listener: () => void): void
  /** With the reason; `refused` when the broker does not accept the credential. */
  onDisconnect(listener: (reason: string, refused: boolean) => void): void
  /** Bytes that wait in this process to be sent; senders hold back above a few MB. */
  readonly pendingBytes: number
  close(): Promise<void>
}

export interface OpenMqttLinkOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://` address, or a maker of in-process connections to an embedded broker. */
  readonly to: string | (() => Duplex)
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  readonly filters: readonly string[]
  /** Published retained by the broker when this connection breaks. */
  readonly will?: { readonly topic: string; readonly payload: string }
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
  readonly reconnectMs?: number
  readonly log: Log
}

/** Starts connecting and keeps trying until closed; never rejects for an absent broker. */
export function openMqttLink(options: OpenMqttLinkOptions): MqttLink {
  const { log, filters, to } = options
  const settings: IClientOptions = {
    clientId: options.clientId,
    protocolVersion: 5,
    clean: true,
    keepalive: 15,
    connectTimeout: 10_000,
    reconnectPeriod: options.reconnectMs ?? 1000,
    reconnectOnConnackError: true,
    queueQoSZero: false,
    resubscribe: false,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.will === undefined
      ? {}
      : { will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1, retain: true } }),
  }
  const open = typeof to === 'string' ? plainSocket(to) : to
  const client: MqttClient =
    open === undefined ? mqtt.connect(to as string, settings) : new mqtt.MqttClient(() => open(), settings)
  const onMessage: ((message: MqttMessage) => void)[] = []
  const onConnect: (() => void)[] = []
  const onDisconnect: ((reason: string, refused: boolean) => void)[] = []
  const underWay = new Set<() => void>()
  let up = false
  let lossLogged = false
  let lastError: { message: string; refused: boolean } | undefined

  client.on('connect', () => {
    const stream = client.stream as Duplex & { setNoDelay?(on: boolean): void }
    stream.setNoDelay?.(true)
    client.subscribe([...filters], { qos: 0 }, (error) => {
      if (error) {
        // What ended along with its connection was not refused, and must not begin again what is being closed.
        if (!client.connected || client.disconnecting) return
        log.error({ error: error.message }, 'the broker refused the subscriptions')
        stream.destroy()
        return
      }
      up = true
      if (lossLogged) log.info({}, 'the broker is reachable again')
      lossLogged = false
      lastError = undefined
      for (const listener of onConnect) listener()
    })
  })
  client.on('message', (topic, payload, packet) => {
    for (const listener of onMessage) listener({ topic, payload, retained: packet.retain })
  })
  client.on('error', (error: Error & { code?: number | string }) => {
    // MQTT 5 reason codes 134, 135 (bad user name or password, not authorized); 4 and 5 in MQTT 3.1.1.
    lastError = { message: error.message, refused: [4, 5, 134, 135].includes(Number(error.code)) }
  })
  client.on('close', () => {
    const { message, refused } = lastError ?? { message: 'the connection was closed', refused: false }
    if (!lossLogged && !client.disconnecting) log.warn({ reason: message }, 'the broker is not reachable')
    lossLogged = true
    const was = up
    up = false
    for (const lost of underWay) lost()
    underWay.clear()
    if (was || refused) for (const listener of onDisconnect) listener(message, refused)
  })

  let closing: Promise<void> | undefined
  return {
    get connected() {
      return up
    },
    get pendingBytes() {
      return (client.stream as Duplex | undefined)?.writableLength ?? 0
    },
    publish: (topic, payload, { retain = false, qos = 0 } = {}) =>
      new Promise((resolve, reject) => {
        if (!up) return reject(notConnected(topic))
        const bytes = typeof payload === 'string' ? payload : asBuffer(payload)
        // A connection that ends never tells what became of what it was given: `close` settles these.
        const lost = () => reject(notConnected(topic))
        underWay.add(lost)
        client.publish(topic, bytes, { retain, qos }, (error) => {
          underWay.delete(lost)
          if (error) reject(notConnected(topic, error))
          else resolve()
        })
      }),
    onMessage: (listener) => void onMessage.push(listener),
    onConnect: (listener) => {
      onConnect.push(listener)
      if (up) listener()
    },
    onDisconnect: (listener) => void onDisconnect.push(listener),
    close: () => {
      closing ??= new Promise((resolve) => {
        // A client that is ending already takes no second, forced end, and one that is still being greeted leaves its
        // connection open when it ends: the connection itself is ended.
        const ended = () => {
          clearTimeout(force)
          ;(client.stream as Duplex | undefined)?.destroy()
          resolve()
        }
        const force = setTimeout(ended, 1000)
        client.end(false, {}, ended)
      })
      return closing
    },
  }
}

/**
 * Makes a plain TCP connection to the address; undefined for an address of another kind, or with credentials of its own.
 * The client library makes those too, but loads TLS, HTTP, WebSocket and proxies for it: memory that a small node misses.
 */
function plainSocket(address: string): (() => Duplex) | undefined {
  const { protocol, hostname, port, username } = new URL(address)
  if ((protocol !== 'mqtt:' && protocol !== 'tcp:') || username !== '') return undefined
  const host = hostname.replace(/^\[|\]$/g, '')
  return () => connect({ host, port: Number(port || 1883) })
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function notConnected(topic: string, cause?: unknown): LabError {
  return new LabError({
    code: 'broker-unreachable',
    kind: 'link',
    retry: 'later',
    message: `${topic} was not sent: the broker is not reachable`,
    cause,
  })
}
