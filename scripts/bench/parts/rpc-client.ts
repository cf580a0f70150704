/** Calls the part `rpc-server`, or a service in its own process, as fast as the answers come. */
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { connectUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { connectWebSocket } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { formatNamed } from '@fernlab/shared/rpc/formats'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import { serveAdder } from './rpc-server.ts'

export interface RpcLoad {
  readonly link: 'in-process' | 'unix-socket' | 'websocket'
  readonly format: 'cbor' | 'json'
  /** Path or URL; none in process. */
  readonly address: string
  readonly calls: number
  readonly clients: number
}

export interface RpcFigures {
  readonly callsPerS: number
  readonly p50us: number
}

async function connect({ link, format, address }: RpcLoad): Promise<Peer> {
  const { signal } = new AbortController()
  const options = { format: formatNamed(format), clock: systemClock, signal }
  const clock = systemClock
  let made: Link
  if (link === 'unix-socket') made = await connectUnixSocket({ path: address, ...options })
  else if (link === 'websocket') made = await connectWebSocket({ url: address, ...options })
  else {
    const [here, there] = localLinks()
    createPeer({ link: there, clock, serve: serveAdder })
    made = here
  }
  return createPeer({ link: made, clock })
}

/** Methods of the part `rpc-client`. */
export function open() {
  return {
    load: async (load: RpcLoad): Promise<RpcFigures> => {
      const peers = await Promise.all(Array.from({ length: load.clients }, () => connect(load)))
      const share = Math.floor(load.calls / load.clients)
      const times = new Float64Array(share * load.clients)
      const lane = async (peer: Peer, lane: number) => {
        for (let n = 0; n < share; n++) {
          const began = performance.now()
          await peer.call('adder/add', { a: 3, b: 4 })
          times[lane * share + n] = performance.now() - began
        }
      }
      const began = performance.now()
      await Promise.all(peers.map(lane))
      const elapsedMs = performance.now() - began
      await Promise.all(peers.map((peer) => peer.close()))
      times.sort()
      return { callsPerS: (times.length / elapsedMs) * 1000, p50us: (times[times.length >> 1] ?? 0) * 1000 }
    },
    batch: async (load: RpcLoad): Promise<{ readonly callsPerS: number }> => {
      const peer = await connect(load)
      const calls = Array.from({ length: load.calls }, () => ['adder/add', { a: 3, b: 4 }] as const)
      const began = performance.now()
      const outcomes = await peer.batch(calls)
      const elapsedMs = performance.now() - began
      await peer.close()
      return { callsPerS: (outcomes.length / elapsedMs) * 1000 }
    },
  }
}
