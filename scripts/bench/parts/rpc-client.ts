/** Clients of a service in a process of their own; they call as fast as the answers come. */
import { connect, createServer, type Socket } from 'node:net'
import { quantile } from '../framework/statistics.ts'
import { type Caller, connectionTo, openCaller, type Target } from './rpc-callers.ts'

export interface CallTimes {
  readonly count: number
  /** Epoch ms: several processes are added up. */
  readonly beganMs: number
  readonly endedMs: number
  readonly p50us: number
  readonly p99us: number
}

export interface OpenCallers {
  readonly target: Target
  readonly clients: number
  /** Number of the first of them, for the tokens. */
  readonly from?: number
}

const epochMs = () => performance.timeOrigin + performance.now()

async function callAll(callers: readonly Caller[], calls: number): Promise<CallTimes> {
  const share = Math.ceil(calls / callers.length)
  const times = new Float64Array(share * callers.length)
  const lane = async (caller: Caller, lane: number) => {
    for (let n = 0; n < share; n++) {
      const began = performance.now()
      await caller.small()
      times[lane * share + n] = performance.now() - began
    }
  }
  const beganMs = epochMs()
  await Promise.all(callers.map(lane))
  const endedMs = epochMs()
  times.sort()
  const at = (q: number) => (times[Math.floor(q * (times.length - 1))] ?? 0) * 1000
  return { count: times.length, beganMs, endedMs, p50us: at(0.5), p99us: at(0.99) }
}

/** Carries everything to the address until it is told to break what it carries. */
async function relayTo(url: string) {
  const { hostname, port, pathname } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), noDelay: true })
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => {}) // it is broken on purpose
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = server.address() as { port: number }
  return {
    address: `ws://127.0.0.1:${own.port}${pathname}`,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    close: () => server.close(),
  }
}

/** Methods of the part `rpc-client`. */
export function open() {
  let callers: readonly Caller[] = []
  const one = () => callers[0] as Caller
  const close = async () => {
    await Promise.all(callers.map((caller) => caller.close()))
    callers = []
  }
  return {
    open: async ({ target, clients, from = 0 }: OpenCallers) => {
      await close()
      const began = performance.now()
      callers = await Promise.all(Array.from({ length: clients }, (_, n) => openCaller(target, from + n)))
      return performance.now() - began
    },
    calls: ({ calls }: { calls: number }) => callAll(callers, calls),
    /** Calls a second of the median of so many batches, one after another. */
    batch: async ({ calls, times }: { calls: number; times: number }) => {
      const rates: number[] = []
      for (let n = 0; n < times; n++) {
        const began = performance.now()
        const done = await one().batch(calls)
        rates.push((done / (performance.now() - began)) * 1000)
      }
      return quantile(rates, 0.5)
    },
    stream: async ({ items }: { items: number }) => {
      const began = performance.now()
      let taken = 0
      for await (const _ of one().count(items)) taken++
      return (taken / (performance.now() - began)) * 1000
    },
    /** MB per second, both directions added. */
    echo: async ({ bytes, times }: { bytes: number; times: number }) => {
      const wave = new Float64Array(bytes / 8).map((_, i) => i)
      const rates: number[] = []
      for (let n = 0; n < times; n++) {
        const began = performance.now()
        await one().echo(wave)
        rates.push((2 * wave.byteLength) / (performance.now() - began) / 1000)
      }
      return quantile(rates, 0.5)
    },
    /** From the moment at which the wire breaks until the answer to a call that is made then, in ms. */
    reconnect: async ({ target, times }: { target: Target; times: number }) => {
      const relay = await relayTo(target.address)
      const connection = connectionTo(relay.address, target.node?.tokens[0])
      const call = () => connection.call('b-1.box/signals.read', { signals: ['value'] }, { idempotent: true })
      const took: number[] = []
      for (let n = 0; n < times; n++) {
        await call()
        const began = performance.now()
        relay.cut()
        await call()
        took.push(performance.now() - began)
      }
      await connection.close()
      relay.close()
      return quantile(took, 0.5)
    },
    close,
  }
}
