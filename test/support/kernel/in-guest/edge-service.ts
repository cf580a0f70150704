/** The node that `install-edge` has put on a machine: enrolled by its code and started as its service does it. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { askHost } from './host.ts'

const bundle = '/opt/fernlab/edge/bundle'
const nodeFile = '/etc/fernlab/node.yaml'
const env = { PATH: process.env.PATH, FERNLAB_DATA: '/var/lib/fernlab', FERNLAB_NODE_FILE: nodeFile }

export interface EdgeService {
  /** What the node has logged. */
  log(): string
  /** As systemd stops it; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Brings up the network adapter of QEMU, once its driver has found it, and sets the clock, as a Pi does at its start. */
export async function joinNetwork(signal: AbortSignal): Promise<void> {
  const found = () => readdirSync('/sys/class/net').find((name) => name !== 'lo')
  while (found() === undefined) await sleep(50, undefined, { signal })
  const device = found() ?? ''
  execFileSync('ip', ['addr', 'add', '10.0.2.15/24', 'dev', device])
  execFileSync('ip', ['link', 'set', device, 'up'])
  execFileSync('date', ['-s', `@${await askHost('time')}`])
}

/** Writes node.yaml, with the hub's address for `HUB` in it, enrols the node by a code of the hub, and starts it. */
export async function startEdgeService(node: string, file: string): Promise<EdgeService> {
  const hub = await askHost<string>('its address')
  for (const folder of ['/etc/fernlab', env.FERNLAB_DATA]) mkdirSync(folder, { recursive: true })
  writeNodeFile(file, hub)
  const { code } = JSON.parse(await askHost<string>('fernlab', 'node', 'enroll', node, '--json')) as { code: string }
  const command = [`${bundle}/node-command.js`, 'enroll', '--hub', hub, '--code', code]
  await promisify(execFile)(process.execPath, command, { env })
  return run()
}

/** Starts the node that has ended, with another node.yaml. */
export async function startEdgeAgain(file: string): Promise<EdgeService> {
  writeNodeFile(file, await askHost<string>('its address'))
  return run()
}

const writeNodeFile = (file: string, hub: string) =>
  writeFileSync(nodeFile, file.replace(/\bHUB\b/, `${hub.replace('http', 'ws')}/mqtt`))

function run(): EdgeService {
  const child = spawn(process.execPath, [`${bundle}/edge-process.js`, '--config', nodeFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const ended = once(child, 'exit')
  return {
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return code as number | null
    },
  }
}
