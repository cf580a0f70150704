/** A large site: how long its hub takes to start, and to answer what pages ask most. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningHub, startHub } from '../fernlab/fernlab.ts'
import { HubClient } from '../fernlab/hub-client.ts'
import type { Benchmark, Contestant } from '../framework/benchmark.ts'
import { startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'
import type { NodeSignIn } from '../parts/sync-nodes.ts'
import { benchesPerLab, benchOf, fillSite, labName, nodeName, size } from './fill-site.ts'
import { calls, timeCalls } from './site-calls.ts'

const count = (number: number) => number.toLocaleString('en')

/** Nodes of the site that are enrolled, with two benches each, all for one lab. */
async function enrolled({ client }: RunningHub): Promise<NodeSignIn[]> {
  const labOf = new Map<string, string>()
  for (let lab = 0; lab < size.labs; lab++) {
    for (let at = 0; at < benchesPerLab; at++) labOf.set(benchOf(labName(lab), at), labName(lab))
  }
  const signIns: NodeSignIn[] = []
  for (let at = 0; at < size.nodes; at++) {
    const node = nodeName(at)
    const { code } = await client.call<{ code: string }>('POST', '/api/v1/nodes', { node })
    const signIn = await client.call<NodeSignIn>('POST', '/api/v1/nodes/enroll', { code, node })
    const benches = ['one', 'two'].map((name) => ({ name, labs: [labOf.get(`${node}.${name}`) ?? ''] }))
    signIns.push({ ...signIn, benches })
  }
  return signIns
}

async function connectNodes(bench: Bench, hub: RunningHub, signIns: readonly NodeSignIn[]) {
  const nodes = await startPart(bench, 'sync-nodes')
  await nodes.call('connect', { broker: hub.mqttUrl, signIns })
  return nodes
}

const site: Contestant = {
  name: 'Fernlab',
  what:
    `one hub process on a database with ${count(size.people)} people, ${size.groups} groups in four levels, ${size.labs} labs, ${size.benches} benches on ${size.nodes} simulated nodes that are connected, ` +
    `${count(size.runs)} runs, ${count(size.bookings)} bookings, ${count(size.permissions)} permissions; each round starts the hub anew and makes all calls once before those that count; ` +
    'a call is made 30 times one after the other, then 64 times with 16 at once; the event loop is watched over both',
  start: async (bench) => {
    const data = mkdtempSync(join(bench.work, 'site-'))
    mkdirSync(join(data, 'hub'))
    bench.say('  filling the database')
    const { studentToken } = await fillSite(`sqlite:${join(data, 'hub', 'hub.db')}`)
    const first = await startHub(bench, { data })
    const signIns = await enrolled(first)
    // The benches of nodes that were here once.
    const nodes = await connectNodes(bench, first, signIns)
    await nodes.end()
    await first.close()
    return { round: () => round(bench, { data, signIns, studentToken }), close: async () => {} }
  },
}

interface Filled {
  readonly data: string
  readonly signIns: readonly NodeSignIn[]
  readonly studentToken: string
}

async function round(bench: Bench, { data, signIns, studentToken }: Filled) {
  const startedAt = performance.now()
  const hub = await startHub(bench, { data })
  const readyS = (performance.now() - startedAt) / 1000
  const nodes = await connectNodes(bench, hub, signIns)
  const student = new HubClient(hub.httpUrl, { authorization: `Bearer ${studentToken}` })
  try {
    const clients = { admin: hub.client, student }
    await timeCalls(clients) // as a hub that is in use: what answers is compiled as it runs
    const { figures, raw, stallMs } = await timeCalls(clients)
    return { figures: { ...figures, ready: readyS, stall: stallMs }, raw }
  } finally {
    student.close()
    await nodes.end()
    await hub.close()
  }
}

const atMost = (value: number) => ({ bound: 'at most', value }) as const

/** Of a site with as many people as a university has. */
export const siteBenchmarks: readonly Benchmark[] = [
  {
    name: 'large-site',
    title: 'Calls of pages on a large site, and the start of its hub',
    figures: [
      { name: 'ready', title: 'until the hub answers', unit: 's', aim: atMost(2.5) },
      { name: 'stall', title: 'the longest that the hub’s event loop was held up', unit: 'ms', aim: atMost(50) },
      ...calls.flatMap(({ name, title, aimMs }) => [
        { name, title: `${title}, median`, unit: 'ms', aim: atMost(aimMs) },
        { name: `${name}-p99`, title: `${title}, 99th percentile`, unit: 'ms' },
        { name: `${name}-many`, title: `${title}, 16 at once, median`, unit: 'ms' },
      ]),
    ],
    contestants: [site],
    rounds: 3,
  },
]
