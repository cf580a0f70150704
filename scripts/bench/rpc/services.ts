/** Services beyond small calls: streams, large values, broken links, memory, many clients. */

import { residentMb } from '../fernlab/fernlab.ts'
import type { Benchmark, Contestant, Running } from '../framework/benchmark.ts'
import { type Part, startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'
import type { Target } from '../parts/rpc-callers.ts'
import type { CallTimes, OpenCallers } from '../parts/rpc-client.ts'
import { startPyro } from '../peers/pyro.ts'
import { rateOf } from './crowd.ts'
import { bareServer, PYRO, pyroVersion } from './rpc.ts'
import { startServiceNode } from './service-node.ts'

const ITEMS = 50_000
const BYTES = 5_000_000
const TIMES = 10
const REST_MS = 5000

interface Client {
  readonly part: Part
  readonly target: Target
  close(): Promise<void>
}

const clientOf = async (bench: Bench, target: Target, server: { close(): Promise<void> }): Promise<Client> => {
  const part = await startPart(bench, 'rpc-client')
  await part.call('open', { target, clients: 1 } satisfies OpenCallers)
  return {
    part,
    target,
    close: async () => {
      await part.end()
      await server.close()
    },
  }
}

const ofNode = async (bench: Bench): Promise<Client> => {
  const node = await startServiceNode(bench)
  return await clientOf(bench, node.target('websocket', 'adder'), node)
}

const ofBare = async (bench: Bench): Promise<Client> => {
  const server = await bareServer(bench, 'bare', 'websocket')
  return await clientOf(bench, { link: 'websocket', format: 'cbor', address: server.address }, server)
}

const measuring =
  (start: (bench: Bench) => Promise<Client>, measure: (client: Client) => Promise<Record<string, number>>) =>
  async (bench: Bench): Promise<Running> => {
    const client = await start(bench)
    return { round: async () => ({ figures: await measure(client) }), close: client.close }
  }

const itemsOf = async ({ part }: Client) => ({ items: await part.call<number>('stream', { items: ITEMS }) })
const echoOf = async ({ part }: Client) => ({ rate: await part.call<number>('echo', { bytes: BYTES, times: TIMES }) })
const againOf = async ({ part, target }: Client) => ({
  again: await part.call<number>('reconnect', { target, times: TIMES }),
})

type Pyro = Awaited<ReturnType<typeof startPyro>>
const pyro = (measure: (pyro: Pyro) => Promise<Record<string, number>>, more = ''): Contestant => ({
  name: PYRO,
  what: `Debian's Pyro4 ${pyroVersion} with msgpack, over TCP on loopback${more}`,
  start: async (bench) => {
    const started = await startPyro(bench, { serializer: 'msgpack', server: 'multiplex' })
    return { round: async () => ({ figures: await measure(started) }), close: started.close }
  },
})

const own =
  'the client that programs use, over WebSocket to a node as it is installed, of a class in TypeScript in a daemon'
const barePeers = 'bare peers, cbor'

const streams: Benchmark = {
  name: 'rpc-stream',
  title: `A stream of ${ITEMS} small items`,
  figures: [{ name: 'items', title: 'taken one by one', unit: 'items/s' }],
  contestants: [
    { name: 'Fernlab', what: own, start: measuring(ofNode, itemsOf) },
    { name: barePeers, what: 'the protocol alone, two processes', start: measuring(ofBare, itemsOf) },
    pyro(async (started) => ({ items: (await started.stream(5000)).itemsPerS ?? 0 }), '; it asks for each item'),
  ],
}

const library: Contestant = {
  name: 'bare ws',
  what: 'the library that carries it, alone: one message there and back, read by nobody',
  start: async (bench) => {
    const [server, client] = [await startPart(bench, 'bare-ws'), await startPart(bench, 'bare-ws')]
    const url = await server.call<string>('serve')
    return {
      round: async () => ({
        figures: { rate: await client.call<number>('echo', { url, bytes: BYTES, times: TIMES }) },
      }),
      close: async () => {
        await client.end()
        await server.end()
      },
    }
  },
}

const large: Benchmark = {
  name: 'rpc-large',
  title: 'A waveform of 5 MB there and back over WebSocket',
  figures: [
    {
      name: 'rate',
      title: 'bytes of both directions',
      unit: 'MB/s',
      aim: { bound: 'at least', value: 0.7, times: 'bare ws' },
    },
  ],
  contestants: [
    { name: barePeers, what: 'the protocol alone, two processes', start: measuring(ofBare, echoOf) },
    { name: 'Fernlab, own service', what: `${own}: a second process on the way`, start: measuring(ofNode, echoOf) },
    library,
    pyro(async (started) => ({ rate: (await started.echo(BYTES, TIMES)).mbPerS ?? 0 }), ', as bytes'),
  ],
}

const broken: Benchmark = {
  name: 'rpc-reconnect',
  title: 'A call after its link broke',
  figures: [{ name: 'again', title: 'from the break until the answer', unit: 'ms' }],
  contestants: [
    {
      name: 'Fernlab',
      what: 'the wire is cut under the client that programs use; it finds the nearest way (three pings), signs in with its token, and repeats the reading',
      start: measuring(ofNode, againOf),
    },
    pyro(
      async (started) => ({ again: (await started.again(50)).ms ?? 0 }),
      '; it leaves its connection and opens another',
    ),
  ],
}

const rest: Benchmark = {
  name: 'rpc-rest',
  title: `Memory of a process that holds a service, ${REST_MS / 1000} s after its first call`,
  figures: [{ name: 'memory', title: 'resident', unit: 'MB' }],
  contestants: [
    ...(['typescript', 'python'] as const).map(
      (language): Contestant => ({
        name: `Fernlab, daemon in ${language === 'python' ? 'Python' : 'TypeScript'}`,
        what: 'the process of a daemon with one class',
        start: async (bench) => {
          const node = await startServiceNode(bench)
          await new Promise((resolve) => setTimeout(resolve, REST_MS))
          return {
            round: async () => ({ figures: { memory: residentMb(node.daemons[language]) } }),
            close: node.close,
          }
        },
      }),
    ),
    pyro(async ({ pid }) => ({ memory: residentMb(pid) }), '; the process that holds the object'),
  ],
}

const COUNTS = [1, 16, 100, 500]
const PROCESSES = 4

const growing: Contestant = {
  name: 'Fernlab',
  what: `readings of a simulated instrument over WebSocket from a node as it is installed, by so many clients at once, each with a link and a token, in ${PROCESSES} processes; each calls again when it has its answer`,
  start: async (bench) => {
    const node = await startServiceNode(bench)
    const parts = await Promise.all(Array.from({ length: PROCESSES }, () => startPart(bench, 'rpc-client')))
    const target = node.target('websocket', 'instrument')
    const measure = async (clients: number): Promise<Record<string, number>> => {
      const used = parts.slice(0, Math.min(clients, PROCESSES))
      const each = clients / used.length
      const took = await Promise.all(
        used.map((part, n) =>
          part.call<number>('open', { target, clients: each, from: n * each } satisfies OpenCallers),
        ),
      )
      const calls = Math.max(4000, each * 40)
      const times = await Promise.all(used.map((part) => part.call<CallTimes>('calls', { calls })))
      const memory = residentMb(node.pid)
      await Promise.all(used.map((part) => part.call('close')))
      return {
        [`rate-${clients}`]: rateOf(times),
        [`p50-${clients}`]: Math.max(...times.map(({ p50us }) => p50us)) / 1000,
        [`p99-${clients}`]: Math.max(...times.map(({ p99us }) => p99us)) / 1000,
        [`memory-${clients}`]: memory,
        [`open-${clients}`]: Math.max(...took),
      }
    }
    return {
      round: async () => {
        const figures: Record<string, number> = {}
        for (const clients of COUNTS) Object.assign(figures, await measure(clients))
        return { figures }
      },
      close: async () => {
        for (const part of parts) await part.end()
        await node.close()
      },
    }
  },
}

const each = (name: string, title: string, unit: string) =>
  COUNTS.map((clients) => ({
    name: `${name}-${clients}`,
    title: `${clients === 1 ? '1 client' : `${clients} clients`}: ${title}`,
    unit,
  }))

const growth: Benchmark = {
  name: 'rpc-growth',
  title: 'From 1 to 500 clients of one node',
  figures: [
    ...each('rate', 'all together', 'calls/s'),
    ...each('p50', 'a call, median', 'ms'),
    ...each('p99', 'a call, 99th percentile', 'ms'),
    ...each('memory', 'resident memory of the node', 'MB'),
    ...each('open', 'all at once connected and signed in', 'ms'),
  ],
  contestants: [growing],
}

export const serviceBenchmarks: readonly Benchmark[] = [streams, large, broken, rest, growth]
