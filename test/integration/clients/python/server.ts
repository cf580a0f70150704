/** What programs in Python call in tests: peers of the project over a Unix socket and WebSockets. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { chosenSubprotocol } from '@fernlab/shared/links/websocket/subprotocols'
import { acceptedWebSocket, webSocketSettings } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { defaultLimits as limits } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import * as assert from 'uvu/assert'
import { WebSocketServer } from 'ws'
import { everyKind } from '../../../contract/links/every-kind.ts'
import { spoiledFrames } from '../../../contract/links/spoiled-frames.ts'
import { demoSupply } from './bench.ts'
import { described, values } from './values.ts'

export const TOKEN = 'the-right-token'

export interface PythonServer {
  readonly url: string
  readonly path: string
  close(): Promise<void>
}

/** Serves `everyKind`, the demo supply as `bench1.supply`, and what only these tests call. */
export async function servePython(): Promise<PythonServer> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-python-'))
  const path = join(folder, 'rpc.sock')
  const lingering = new Lingering({ clock: systemClock })
  const { heard, serve } = everyKind()
  const supply = demoSupply()
  const services = serveServices(
    (name) => (name === 'bench1.supply' ? supply.service : undefined),
    (pattern, text) => new RegExp(pattern).test(text),
  )

  let lastSignIn: unknown = null

  function meet(link: Link, cut: () => void, freeze: () => void = () => {}): void {
    const peer: Peer = createPeer({
      link,
      clock: systemClock,
      lingering,
      signIn: (params) => {
        const { program, ...said } = (params ?? {}) as Record<string, unknown>
        assert.match(String(program), /^\w{8,}$/)
        // Who can open a node's socket owns it, and tells no more than which program it is.
        if (link.kind === 'unix-socket' && said.token === undefined) return { person: 'local' }
        lastSignIn = said
        return signedIn(said)
      },
      serve: (method, params, context) => own(method, params, context, { peer, link, cut, freeze }),
    })
  }

  function own(method: string, params: unknown, context: CallContext, end: End): unknown {
    if (method === 'heard') return heard
    if (method === 'describe') return described(params)
    if (method === 'values') return values
    if (method === 'cut') return void end.cut()
    if (method === 'change') return void supply.change('2.0', params as string)
    if (method === 'restore') return void supply.restore()
    if (method === 'lastSignIn') return lastSignIn
    if (method === 'begun') return [...supply.begun]
    if (method === 'restart') return void restart()
    if (method === 'freeze') return void end.freeze()
    if (method === 'spoil') return spoil(end.link)
    if (method === 'node/directory') return directory(params as { search: { name?: string } })
    if (method === 'underWay') return { ...end.peer.underWay, lingering: lingering.size }
    if (method === 'askBack') return askBack(end.peer, params as AskBack)
    if (method.includes('/')) return services(method, params, context)
    return serve(method, params, context)
  }

  const listen = () =>
    listenUnixSocket({
      path,
      clock: systemClock,
      onLink: (link) => meet(link, () => void link.close('the wire broke')),
    })
  let unix = await listen()
  let restarted = Promise.resolve()

  /** Ends all links over the Unix socket, and listens anew. */
  function restart(): void {
    restarted = unix.close().then(async () => {
      unix = await listen()
    })
  }

  const http = createServer()
  const sockets = new WebSocketServer({ server: http, handleProtocols: chosenSubprotocol, ...webSocketSettings })
  sockets.on('connection', (socket, { socket: wire }) => {
    const link = acceptedWebSocket(socket, wire, systemClock)
    if (link === undefined) return
    meet(
      link,
      () => socket.terminate(),
      () => socket.pause(),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    path,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/rpc`,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      http.close()
      await restarted
      await unix.close()
      lingering.close()
      await rm(folder, { recursive: true })
    },
  }
}

interface End {
  readonly peer: Peer
  readonly link: Link
  readonly cut: () => void
  /** Nothing is read of it any more, as of a machine without power. */
  readonly freeze: () => void
}

function signedIn(params: unknown): unknown {
  if ((params as { token?: unknown } | undefined)?.token === TOKEN) return { person: 'ada' }
  throw new LabError({ code: 'token-wrong', kind: 'caller', message: 'the token is none of this node' })
}

const SPOILED = 10

/** Sends what nobody can read, fewer frames than end a link. */
function spoil(link: Link): number {
  const good = link.format.write({ id: 1, method: 'a', params: { $x: [1, 'é', new Float32Array(2)] } }, limits)
  for (const frame of spoiledFrames(good, link.format).slice(0, SPOILED)) link.send(frame)
  return SPOILED
}

interface AskBack {
  readonly method: string
  readonly params?: unknown
  readonly stream?: boolean
  readonly take?: number
}

/** As that of a node with the one service. */
const directory = ({ search: { name = 'bench1.supply' } }: { search: { name?: string } }) =>
  name === 'bench1.supply'
    ? [{ id: `node/${name}`, name, node: 'node', site: 'site', address: `fernlab://site/node/${name}` }]
    : []

/** Calls the client, and says what came of it. */
async function askBack(peer: Peer, { method, params, stream = false, take }: AskBack): Promise<unknown> {
  if (!stream) return peer.call(method, params)
  const items: unknown[] = []
  for await (const item of peer.stream(method, params, { credit: 4 })) {
    items.push(item)
    if (items.length === take) break
  }
  return items
}
