/** Small calls of a service straight to the process that holds it, beside Pyro4. */
import { join } from 'node:path'
import type { Aim, Benchmark, Contestant, Figure, Running } from '../framework/benchmark.ts'
import { debianVersion } from '../framework/machine.ts'
import { startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'
import type { Target } from '../parts/rpc-callers.ts'
import type { CallTimes } from '../parts/rpc-client.ts'
import { startPython } from '../peers/fernlab-python.ts'
import { type StartPyroOptions, startPyro } from '../peers/pyro.ts'
import { startCrowd } from './crowd.ts'
import { startServiceNode } from './service-node.ts'

type Link = Target['link']

const CALLS = 10_000
const CALLS_IN_PROCESS = 400_000
const BATCH = 40_000
/** Of every contestant, in each round; what counts is their median. */
const BATCHES = 5
export const MANY = 16

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

const rated = ({ count, beganMs, endedMs, p50us }: CallTimes): Measured => ({
  callsPerS: (count / (endedMs - beganMs)) * 1000,
  p50us,
})

interface What {
  readonly many: boolean
  readonly batch: boolean
}

/** One client, then sixteen, each a process of its own. */
async function called(bench: Bench, name: string, target: Target, what: What): Promise<Running> {
  const inProcess = target.link === 'in-process'
  const crowd = await startCrowd(bench, name, target, what.many && !inProcess ? MANY : 1)
  return {
    round: async () => {
      const calls = inProcess ? CALLS_IN_PROCESS : CALLS
      const one = rated(await crowd.first.call<CallTimes>('calls', { calls }))
      const many = what.many && !inProcess ? { callsPerS: await crowd.calls(CALLS / 10) } : {}
      const batch = what.batch
        ? { callsPerS: await crowd.first.call<number>('batch', { calls: BATCH, times: BATCHES }) }
        : {}
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: crowd.close,
  }
}

async function product(bench: Bench, link: Link, service: 'adder' | 'instrument'): Promise<Running> {
  const node = await startServiceNode(bench)
  const target = node.target(link as 'websocket', service)
  return closing(
    await called(bench, `client-${link}-${service}`, target, { many: true, batch: service === 'adder' }),
    node,
  )
}

/** The part `rpc-server`, and its address on the link. */
export async function bareServer(bench: Bench, name: string, link: Link) {
  const server = await startPart(bench, 'rpc-server', {
    log: `rpc-server-${name}.log`,
    env: { BENCH_SOCKET: join(bench.work, `${name}.sock`) },
  })
  const { path, url } = await server.call<{ path: string; url: string }>('addresses')
  return { address: link === 'unix-socket' ? path : url, close: server.end }
}

async function bare(bench: Bench, link: Link, format: Target['format'], what: What): Promise<Running> {
  const name = `bare-${link}-${format}`
  const server = await bareServer(bench, name, link)
  return closing(await called(bench, name, { link, format, address: server.address }, what), server)
}

async function library(bench: Bench): Promise<Running> {
  const [server, client] = [await startPart(bench, 'bare-ws'), await startPart(bench, 'bare-ws')]
  const url = await server.call<string>('serve')
  return {
    round: async () => {
      const one = await client.call<Measured>('small', { url, calls: CALLS })
      return { figures: figuresOf(one, {}, {}), raw: { one } }
    },
    close: async () => {
      await client.end()
      await server.end()
    },
  }
}

/** The bare server, called from Python. */
async function fromPython(bench: Bench, link: Link, plain: boolean): Promise<Running> {
  const name = `${link}-python${plain ? '-plain' : ''}`
  const server = await bareServer(bench, name, link)
  const { address } = server
  const client = startPython(bench, `rpc-client-${name}.log`)
  return {
    round: async () => {
      const one = await client.load({ address, calls: CALLS / 4, clients: 1, plain })
      if (plain) return { figures: figuresOf(one, {}, {}), raw: { one } }
      const many = await client.load({ address, calls: CALLS / 2, clients: MANY })
      const batch = await client.load({ address, calls: 0, clients: 1, batch: BATCH, times: BATCHES })
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: async () => {
      await client.end()
      await server.close()
    },
  }
}

async function pyro(bench: Bench, options: StartPyroOptions, what: What): Promise<Running> {
  const started = await startPyro(bench, options)
  return {
    round: async () => {
      const one = await started.load(CALLS / 4, 1)
      const many = what.many ? await started.load(CALLS / 2, MANY) : {}
      const batch = what.batch ? await started.batch(BATCH, BATCHES) : {}
      return { figures: figuresOf(one, many, batch), raw: { one, many, batch } }
    },
    close: started.close,
  }
}

/** Closes the other as well. */
const closing = (running: Running, other: { close(): Promise<void> }): Running => ({
  ...running,
  close: async () => {
    await running.close()
    await other.close()
  },
})

/** A reading of an instrument is no call of a batch: that is held to a service of one's own, where there is one. */
const figures = (times: string, value: number, batchOf?: string): readonly Figure[] => {
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
    {
      name: 'batch',
      title: `batch of ${BATCH}`,
      unit: 'calls/s',
      aim: { ...aim(2), ...(batchOf === undefined ? {} : { of: batchOf }) },
    },
  ]
}

const OWN = 'Fernlab, own service'
const products = (link: Link): readonly Contestant[] => [
  {
    name: 'Fernlab',
    what: 'a node as it is installed and the client that programs use, signed in with a token (on the Unix socket as the owner): a reading of a simulated instrument; clients are processes of their own',
    start: (bench) => product(bench, link, 'instrument'),
  },
  {
    name: OWN,
    what: 'the same, of a class in TypeScript in a daemon of the node: each call goes on to its process; arguments and results are checked against its contract',
    start: (bench) => product(bench, link, 'adder'),
  },
]

const bareOf = (link: Link, format: Target['format'], what: What): Contestant => ({
  name: `bare peers, ${format}`,
  what: `the protocol alone, in ${format.toUpperCase()}: two processes without a node, its gate, contracts or tokens`,
  start: (bench) => bare(bench, link, format, what),
})

const all: What = { many: true, batch: true }
export const PYRO = 'Pyro4, msgpack'
export const pyroVersion = debianVersion('python3-pyro4')
const peer = (serializer: string, what: What): Contestant => ({
  name: `Pyro4, ${serializer}`,
  what: `Debian's Pyro4 ${pyroVersion} with ${serializer}, over TCP on loopback; clients are processes of their own`,
  start: (bench) => pyro(bench, { serializer, server: 'multiplex' }, what),
})

const python = (link: Link): readonly Contestant[] => [
  {
    name: 'bare peer, from Python',
    what: 'the client for Python in asyncio, CBOR, calls the bare server; clients are processes of their own',
    start: (bench) => fromPython(bench, link, false),
  },
  {
    name: 'bare peer, from Python, plain',
    what: 'the same by plain calls, without asyncio',
    start: (bench) => fromPython(bench, link, true),
  },
]

export const callBenchmarks: readonly Benchmark[] = [
  {
    name: 'rpc-websocket',
    title: 'A small call over WebSocket on loopback',
    figures: figures(PYRO, 2, OWN),
    contestants: [
      ...products('websocket'),
      bareOf('websocket', 'cbor', all),
      bareOf('websocket', 'json', { many: false, batch: true }),
      {
        name: 'bare ws',
        what: 'the library that carries it, alone: 50 bytes there and back, read by nobody',
        start: library,
      },
      ...python('websocket'),
      peer('msgpack', all),
      peer('marshal', { many: false, batch: true }),
      peer('serpent', { many: false, batch: true }),
    ],
  },
  {
    name: 'rpc-unix',
    title: 'A small call over a Unix socket',
    figures: figures(PYRO, 2.5, OWN),
    contestants: [
      ...products('unix-socket'),
      bareOf('unix-socket', 'cbor', all),
      ...python('unix-socket'),
      peer('msgpack', all),
    ],
  },
  {
    name: 'rpc-in-process',
    title: 'A small call inside one process, arguments checked and copied',
    figures: figures(PYRO, 50),
    contestants: [
      {
        name: 'Fernlab',
        what: 'two ends of a link in one process; there is one client, as there is one thread',
        start: (bench) => bare(bench, 'in-process', 'cbor', { many: false, batch: true }),
      },
      peer('msgpack', { many: false, batch: true }),
    ],
  },
]
