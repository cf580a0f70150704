/** Where the hub is reached: HTTP, WebSocket, MQTT, and the pages of labs at an origin of their own. */
import type { Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createAdaptorServer } from '@hono/node-server'
import type { ClientAddress } from '../api/client-address.ts'
import type { Api } from '../api/context.ts'
import { sendWhole } from '../api/whole-answers.ts'
import type { Broker } from '../broker/broker.ts'
import {
  type Listener,
  listen,
  listenMqtt,
  serveWebSocket,
  trackConnections,
  type WebSocketOptions,
} from '../broker/listeners.ts'
import type { CameraLines } from '../cameras/camera-lines.ts'
import type { CameraSockets } from '../cameras/camera-sockets.ts'
import type { HubConfig } from '../config/config.ts'
import { hostAndPort, removeEndpoints, writeEndpoints } from '../config/endpoints.ts'
import type { ServiceLines } from '../directory/service-lines.ts'
import type { LabPages } from '../lab-pages/lab-pages.ts'
import { listenPages } from '../lab-pages/listen-pages.ts'
import type { PageAddress } from '../lab-pages/page-address.ts'
import type { LabTunnels } from '../lab-servers/lab-tunnels.ts'
import type { LabVisits } from '../lab-servers/lab-visits.ts'
import type { LiveSockets } from '../sessions/live-sockets.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'

/** What is known once the hub listens; parts that are made before ask late. */
export interface ListeningAt {
  http: string
  pagesPort: number
  readonly mqtt: Listener[]
}

export interface Served {
  readonly fetch: Api['fetch']
  readonly broker: Broker
  readonly liveSockets: LiveSockets
  readonly addresses: ClientAddress
  readonly labTunnels: LabTunnels
  readonly cameraLines: CameraLines
  readonly cameraSockets: CameraSockets
  readonly serviceLines: ServiceLines
  readonly labPages: LabPages
  readonly labVisits: LabVisits
  readonly pageAddress: PageAddress
}

/** Listens, says so in the data folder, and fills `at`; resolves with the address of the broker. */
export async function openDoors(
  { config, publicUrl, log, onClose }: Basics,
  { tls }: Pick<Ground, 'tls'>,
  served: Served,
  at: ListeningAt,
): Promise<{ readonly mqttUrl: string }> {
  const { fetch, broker, liveSockets, addresses, labTunnels, labPages, labVisits, pageAddress } = served
  const { cameraLines, cameraSockets, serviceLines } = served
  const { host } = config
  const server = createAdaptorServer({
    fetch: sendWhole(fetch),
    overrideGlobalObjects: false,
    ...(tls === undefined ? {} : { createServer: createHttpsServer, serverOptions: tls }),
  }) as Server
  const cutAll = trackConnections(server)
  const origins = () => [new URL(publicUrl()).origin]
  const others: WebSocketOptions['others'] = (...upgrade) =>
    [liveSockets, cameraSockets, cameraLines, labTunnels, serviceLines].some((one) => one.upgrade(...upgrade))
  const webSockets = serveWebSocket({ broker, server, origins, addresses, others, log })
  const port = await listen(server, host, config.port, 'FERNLAB_PORT')
  // Whoever sees it gone finds nobody who answers.
  onClose(() => removeEndpoints(config.dataFolder))
  onClose(() => closeServer(server, cutAll))
  onClose(() => webSockets.close())
  onClose(() => liveSockets.close())
  onClose(() => cameraSockets.close())
  onClose(() => serviceLines.close())
  onClose(() => cameraLines.stop())
  onClose(() => labTunnels.stop())
  at.http = `${tls === undefined ? 'http' : 'https'}://${hostAndPort(host, port)}`

  at.mqtt.push(await listenMqtt({ broker, host, port: config.mqttPort, setting: 'FERNLAB_MQTT_PORT' }))
  onClose(() => at.mqtt[0]?.close())
  if (tls !== undefined) {
    at.mqtt.push(await listenMqtt({ broker, host, port: config.mqttsPort, tls, setting: 'FERNLAB_MQTTS_PORT' }))
    onClose(() => at.mqtt[1]?.close())
  }
  // After the rest, whose ports are promised: without a port of its own it makes way.
  const pages = await listenPages({
    fetch: labPages.fetch,
    visits: labVisits,
    host,
    port: config.pagesPort,
    hubPort: config.port,
    tls,
    log,
  })
  onClose(() => pages.close())
  onClose(() => labVisits.close())
  at.pagesPort = pages.port
  const pagesUrl =
    (config.pagesUrl === undefined ? undefined : pageAddress.origin('')) ??
    `${tls === undefined ? 'http' : 'https'}://${hostAndPort(host, pages.port)}`
  if (pageAddress.origin(new URL(publicUrl()).host) === undefined) {
    log.warn({ port: pages.port }, 'labs’ own pages are not shown: set FERNLAB_PAGES_URL to an origin for them')
  }
  const mqttUrl = `mqtt://${hostAndPort(host, at.mqtt[0]?.port ?? 0)}`
  const mqtts = at.mqtt[1] === undefined ? {} : { mqtts: `mqtts://${hostAndPort(host, at.mqtt[1].port)}` }
  await writeEndpoints(config.dataFolder, { http: at.http, mqtt: mqttUrl, ...mqtts, pages: pagesUrl })
  return { mqttUrl }
}

/** Addresses of the broker for nodes, best first: TLS, WebSocket where the page has TLS, plain. */
export function mqttUrlsOf(
  { config, publicUrl }: Pick<Basics, 'config' | 'publicUrl'>,
  tls: boolean,
  mqtt: readonly Listener[],
): (host?: string) => string[] {
  return (host) => {
    const asked = `${tls ? 'https' : 'http'}://${host}`
    const known = config.publicUrl !== undefined || host === undefined || !URL.canParse(asked)
    return mqttAddresses(config, mqtt, known ? publicUrl() : asked, tls)
  }
}

function mqttAddresses(config: HubConfig, mqtt: readonly Listener[], publicUrl: string, tls: boolean): string[] {
  const { protocol, host, hostname } = new URL(publicUrl)
  const webSocket = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/mqtt`
  const plain = mqtt[0] === undefined ? [] : [`mqtt://${hostname}:${mqtt[0].port}`]
  const sealed = mqtt[1] === undefined ? [] : [`mqtts://${hostname}:${mqtt[1].port}`]
  if (tls) return [...sealed, webSocket, ...plain]
  return config.publicUrl?.startsWith('https:') === true ? [webSocket, ...plain] : [...plain, webSocket]
}

/** Stops listening; gives running requests half a second. */
function closeServer(server: Server, cutAll: () => void): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(cutAll, 500)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}
