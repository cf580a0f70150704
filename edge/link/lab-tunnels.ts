/**
 * Carries browsers' requests to a lab's own server: the hub asks, and the node opens a WebSocket to it, so that nobody has
 * to reach the node.
 *
 * INVARIANTS: a tunnel ends in the lab's server of an active session, and nowhere else; it ends with the session, at once;
 * bytes wait for whoever takes them slowly, on this connection alone; there are never more than `MOST_TUNNELS` for one
 * session, those that are being opened included; the hub's certificate is verified as its broker's is.
 */
import { type Duplex, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LAB_TUNNEL_PATH } from '@fernlab/shared/contracts/sync'
import { MOST_TUNNEL_MESSAGE_BYTES, TunnelStream } from '@fernlab/shared/links/tunnel-stream'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Visited } from '../engine/seat.ts'
import { openHubSocket } from './hub-socket.ts'

export interface OpenTunnel {
  readonly visited: Visited
  /** The hub's web address, as `ws://` or `wss://`. */
  readonly hub: string
  readonly token: string
  readonly signal: AbortSignal
}

export interface LabTunnels {
  /** Resolves when both ends are connected; rejects with `lab-server-unreachable`, `hub-unreachable`, `session-busy`. */
  open(tunnel: OpenTunnel): Promise<void>
}

const MOST_TUNNELS = 64

export interface CreateLabTunnelsOptions {
  /** PEM of an authority to trust besides the system's. */
  readonly ca: string | undefined
  readonly log: Log
}

/** The tunnels of this node. */
export function createLabTunnels({ ca, log }: CreateLabTunnelsOptions): LabTunnels {
  /** What ends each tunnel of a session, by the signal of the session's own end. */
  const sessions = new WeakMap<AbortSignal, Set<AbortController>>()

  const tunnelsOf = (over: AbortSignal): Set<AbortController> => {
    const known = sessions.get(over)
    if (known !== undefined) return known
    const made = new Set<AbortController>()
    const endAll = () => {
      for (const ending of made) ending.abort(over.reason)
    }
    over.addEventListener('abort', endAll, { once: true })
    sessions.set(over, made)
    return made
  }

  const carry = async (lab: Duplex, hub: Duplex, { count }: Visited, signal: AbortSignal) => {
    const received = counted((bytes) => count({ receivedBytes: bytes }))
    const sent = counted((bytes) => count({ sentBytes: bytes }))
    try {
      await Promise.all([pipeline(lab, received, hub, { signal }), pipeline(hub, sent, lab, { signal })])
    } catch (thrown) {
      if (!signal.aborted) log.debug({ error: asLabError(thrown).message }, 'a connection to a lab’s own server broke')
    } finally {
      lab.destroy()
      hub.destroy()
    }
  }

  /** Resolves with how to carry bytes between both ends. */
  const connect = async ({ visited, hub, token, signal }: OpenTunnel) => {
    const lab = await visited.connect(signal)
    // Also one that breaks while the hub is being connected; whoever uses it then, hears of it.
    lab.on('error', () => {})
    try {
      const address = `${hub}${LAB_TUNNEL_PATH}`
      const tunnel = await openHubSocket(
        { address, token, ca, mostBytes: MOST_TUNNEL_MESSAGE_BYTES, signal },
        (socket) => new TunnelStream(socket),
      )
      return (ending: AbortSignal) => carry(lab, tunnel, visited, ending)
    } catch (thrown) {
      lab.destroy()
      throw thrown
    }
  }

  return {
    open: async (tunnel) => {
      const { over, count } = tunnel.visited
      over.throwIfAborted()
      const tunnels = tunnelsOf(over)
      if (tunnels.size >= MOST_TUNNELS) {
        throw new LabError({
          code: 'session-busy',
          kind: 'caller',
          retry: 'later',
          message: `${MOST_TUNNELS} connections to the lab’s own server are open already`,
        })
      }
      const ending = new AbortController()
      tunnels.add(ending)
      try {
        const carryBytes = await connect({ ...tunnel, signal: AbortSignal.any([tunnel.signal, ending.signal]) })
        count({ connections: 1 })
        void carryBytes(ending.signal).finally(() => tunnels.delete(ending))
      } catch (thrown) {
        tunnels.delete(ending)
        throw thrown
      }
    },
  }
}

function counted(count: (bytes: number) => void): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      count(chunk.length)
      done(null, chunk)
    },
  })
}
