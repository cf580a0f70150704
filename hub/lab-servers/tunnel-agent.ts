import { Agent, type ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface TunnelAgentOptions {
  /** A connection that is counted from now on, and opened as soon as can be. */
  readonly connect: () => Duplex
  readonly clock: Clock
}

/** Requests beyond these wait until another is done; what was upgraded does not count. */
const MOST_BUSY = 24
/** Below what servers wait for a next request, so that none is sent to one that hangs up just then. */
const IDLE_MS = 1000

/** Lets `http.request({ agent })` speak to one lab's server through tunnels, which are kept for a next request. */
export class TunnelAgent extends Agent {
  readonly #connect: () => Duplex
  readonly #clock: Clock
  readonly #idle = new WeakMap<Duplex, () => void>()

  constructor({ connect, clock }: TunnelAgentOptions) {
    super({ keepAlive: true, maxSockets: MOST_BUSY })
    this.#connect = connect
    this.#clock = clock
  }

  /** All that it is asked for is one server, whatever a request calls it. */
  override getName(): string {
    return 'lab'
  }

  override createConnection(): Duplex {
    return this.#connect()
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const cancel = this.#clock.after(IDLE_MS, () => socket.destroy())
    const isUsed = () => {
      cancel()
      socket.off('close', isUsed)
    }
    socket.once('close', isUsed)
    this.#idle.set(socket, isUsed)
    return true
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request)
    this.#idle.get(socket)?.()
  }
}
