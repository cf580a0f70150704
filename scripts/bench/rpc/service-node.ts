/** A node without a hub as the product is: compiled, with an instrument, services of its own and a port for clients. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { startProgram } from '../fernlab/fernlab.ts'
import type { Bench } from '../framework/surroundings.ts'
import { until } from '../framework/surroundings.ts'
import { connectionTo, type Target } from '../parts/rpc-callers.ts'

const nodeFile = `
site: main
node: bench-node
instruments:
  box: { driver: simulated, config: { model: constant } }
benches:
  b-1: { parts: { box: box }, safeState: { box.value: 0 } }
daemons:
  typescript: {}
  python: {}
services:
  listen: { host: 127.0.0.1, port: 0, clients: 600 }
  own:
    adder: { file: ./adder.ts, daemon: typescript }
    py-adder: { file: ./adder.py, daemon: python }
`

const typescript = `
import { defineService } from '@fernlab/service'

export const contract = defineService({
  kind: 'adder', version: '1.0',
  actions: {
    add: { arguments: { a: { type: 'number' }, b: { type: 'number' } }, result: { type: 'number' } },
    count: { arguments: { to: { type: 'integer' } }, items: { type: 'integer' } },
    echo: { arguments: { wave: { type: 'array', of: 'float64' } }, result: { type: 'array', of: 'float64' } },
  },
  signals: {}, events: {},
})

export default class {
  add({ a, b }: { a: number; b: number }) { return a + b }
  async *count({ to }: { to: number }) { for (let n = 1; n <= to; n++) yield n }
  echo({ wave }: { wave: Float64Array }) { return wave }
}
`

const python = `
class Adder:
    def add(self, a: float, b: float) -> float:
        return a + b
`

export interface ServiceNode {
  readonly pid: number
  /** Those of the two daemons: a process that holds services in TypeScript, and one in Python. */
  readonly daemons: { readonly typescript: number; readonly python: number }
  target(link: 'unix-socket' | 'websocket', service: 'adder' | 'instrument'): Target
  close(): Promise<void>
}

/** One person has at most 32 links. */
const PEOPLE = 20

/** Starts it; its services are up when this resolves. */
export async function startServiceNode(bench: Bench): Promise<ServiceNode> {
  const folder = mkdtempSync(join(bench.work, 'node-'))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write('node.yaml', nodeFile)
  write('adder.ts', typescript)
  write('adder.py', python)
  const env = { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' }
  const started = startProgram(bench, 'edge/edge-process', {
    env,
    name: 'service-node',
    args: ['--config', join(folder, 'node.yaml')],
  })
  const endpoints = join(folder, 'nodes', 'bench-node', 'services.json')
  const { socket, addresses } = await until('the node taking clients', 30_000, async () => {
    try {
      return JSON.parse(readFileSync(endpoints, 'utf8')) as { socket: string; addresses: string[] }
    } catch {
      return undefined // it is not there yet
    }
  })
  const owner = connectionTo(socket, undefined)
  await until('its services being up', 30_000, async () => {
    const services = await owner.call('node/services').catch((error: LabError) => {
      if (error.code !== 'node-starting') throw error
      return []
    })
    const up = (services as { name: string; state: string }[]).filter(({ state }) => state === 'up')
    return ['adder', 'py-adder', 'b-1.box'].every((name) => up.some((one) => one.name === name)) ? true : undefined
  })
  const tokens: string[] = []
  for (let n = 0; n < PEOPLE; n++) {
    const claims = { person: `person-${n}`, services: ['*'], rights: ['read', 'use'] }
    tokens.push(((await owner.call('node/token', claims)) as { token: string }).token)
  }
  await owner.close()
  const daemons = childrenOf(started.pid)
  return {
    pid: started.pid,
    daemons: {
      typescript: daemons.find(({ program }) => !program.includes('python'))?.pid ?? -1,
      python: daemons.find(({ program }) => program.includes('python'))?.pid ?? -1,
    },
    target: (link, service) => ({
      link,
      format: 'cbor',
      address: link === 'unix-socket' ? socket : (addresses[0] ?? ''),
      node: { service, tokens: link === 'unix-socket' ? [] : tokens },
    }),
    close: () => started.end(),
  }
}

function childrenOf(pid: number): { readonly pid: number; readonly program: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
        if (Number(parent) !== pid) return []
        return [{ pid: Number(name), program: readFileSync(`/proc/${name}/cmdline`, 'utf8') }]
      } catch {
        return [] // it has ended meanwhile
      }
    })
}
