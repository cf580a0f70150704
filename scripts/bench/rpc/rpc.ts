/** Calls of a service straight to the process that holds it, beside Pyro4. */
import { join } from 'node:path'
import type { Aim, Benchmark, Contestant, Figure, Running } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'
import type { RpcFigures, RpcLoad } from '../parts/rpc-client.ts'
import { startPython } from '../peers/fernlab-python.ts'
import { type StartPyroOptions, startPyro } from '../peers/pyro.ts'

type Way = Pick<RpcLoad, 'link' | 'format'>

const CALLS = 20_000
const CALLS_IN_PROCESS = 400_000
const BATCH = 40_000

async function fernlab(bench: Bench, way: Way): Promise<Running> {
  const server = await startPart(bench, 'rpc-server', {
    log: `rpc-server-${way.link}-${way.format}.log`,
    env: { BENCH_SOCKET: join(bench.work, `rpc-${way.link}-${way.format}.sock`) },
  })
  const client = await startPart(bench, 'rpc-client', { log: `rpc-client-${way.link}-${way.format}.log` })
  const { path, url } = await server.call<{ path: string; url: string }>('addresses')
  const address = way.link === 'unix-socket' ? path : url
  const calls = way.link === 'in-process' ? CALLS_IN_PROCESS : CALLS
  return {
    round: async () => {
      const one = await client.call<RpcFigures>('load', { ...way, address, calls, clients: 1 } satisfies RpcLoad)
      const many = await client.call<RpcFigures>('load', { ...way, address, calls, clients: 16 } satisfies RpcLoad)
      const batch = await client.call<RpcFigures>('batch', {
        ...way,
        address,
        calls: BATCH,
        clients: 1,
      } satisfies RpcLoad)
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: async () => {
      await client.end()
      await server.end()
    },
  }
}

/** The same server, called from Python. */
async function fromPython(bench: Bench, link: RpcLoad['link'], plain: boolean): Promise<Running> {
  const name = `${link}-python${plain ? '-plain' : ''}`
  const server = await startPart(bench, 'rpc-server', {
    log: `rpc-server-${name}.log`,
    env: { BENCH_SOCKET: join(bench.work, `rpc-${name}.sock`) },
  })
  const client = startPython(bench, `rpc-client-${name}.log`)
  const { path, url } = await server.call<{ path: string; url: string }>('addresses')
  const address = link === 'unix-socket' ? path : url
  return {
    round: async () => {
      const one = await client.load({ address, calls: CALLS / 4, clients: 1, plain })
      if (plain) return { figures: figuresOf(one, {}, {}), raw: { one } }
      const many = await client.load({ address, calls: CALLS / 4, clients: 16 })
      const batch = await client.load({ address, calls: 0, clients: 1, batch: BATCH })
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: async () => {
      await client.end()
      await server.end()
    },
  }
}

async function pyro(bench: Bench, options: StartPyroOptions): Promise<Running> {
  const started = await startPyro(bench, options)
  return {
    round: async () => {
      const one = await started.load(CALLS / 4, 1)
      const many = await started.load(CALLS / 4, 16)
      const batch = await started.batch(BATCH)
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: started.close,
  }
}

interface Measured {
  readonly callsPerS?: number
  readonly p50us?: number
}

const figuresOf = (one: Measured, many: Measured, batch: Measured): Record<string, number> => {
  const all = { 'p50-1': one.p50us, 'rate-1': one.callsPerS, 'rate-16': many.callsPerS, batch: batch.callsPerS }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

const figures = (times: string, value: number, batch: number): readonly Figure[] => {
  const aim = (least: number): Aim => ({ bound: 'at least', value: least, times })
  return [
    {
      name: 'p50-1',
      title: 'small call, 1 client, p50',
      unit: 'µs',
      aim: { bound: 'at most', value: 1 / value, times },
    },
    { name: 'rate-1', title: '1 client', unit: 'calls/s', aim: aim(value) },
    { name: 'rate-16', title: '16 clients', unit: 'calls/s', aim: aim(value) },
    { name: 'batch', title: `batch of ${BATCH}`, unit: 'calls/s', aim: aim(batch) },
  ]
}

const ours = (what: string, way: Way): Contestant => ({
  name: `Fernlab, ${way.format}`,
  what,
  start: (bench) => fernlab(bench, way),
})

const serializers = ['msgpack', 'marshal', 'serpent'] as const
/** The fastest of its safe ones in one of its two servers: what the others reach is in the table, too. */
const FASTEST = 'Pyro4, msgpack'
const peers: readonly Contestant[] = serializers.map((serializer) => ({
  name: `Pyro4, ${serializer}`,
  what: `Debian's Pyro4 with ${serializer}, over TCP on loopback; 16 clients are threads of one process`,
  start: (bench) => pyro(bench, { serializer, server: 'multiplex' }),
}))

const python = (link: RpcLoad['link']): readonly Contestant[] => [
  {
    name: 'Fernlab, from Python',
    what: 'the client for Python in asyncio, CBOR; 16 clients are links of one process',
    start: (bench) => fromPython(bench, link, false),
  },
  {
    name: 'Fernlab, from Python, plain',
    what: 'the same by plain calls, without asyncio',
    start: (bench) => fromPython(bench, link, true),
  },
]

export const rpcBenchmarks: readonly Benchmark[] = [
  {
    name: 'rpc-websocket',
    title: 'A small call over WebSocket on loopback',
    figures: figures(FASTEST, 2, 2),
    contestants: [
      ours('two peers, a process each; 16 clients are links of one process', { link: 'websocket', format: 'cbor' }),
      ours('the same in JSON', { link: 'websocket', format: 'json' }),
      ...python('websocket'),
      ...peers,
    ],
  },
  {
    name: 'rpc-unix',
    title: 'A small call over a Unix socket',
    figures: figures(FASTEST, 2.5, 2),
    contestants: [
      ours('two peers, a process each', { link: 'unix-socket', format: 'cbor' }),
      ...python('unix-socket'),
      ...peers.slice(0, 1),
    ],
  },
  {
    name: 'rpc-in-process',
    title: 'A small call inside one process, arguments checked and copied',
    figures: figures(FASTEST, 50, 2),
    contestants: [ours('two peers in one process', { link: 'in-process', format: 'cbor' }), ...peers.slice(0, 1)],
  },
]
