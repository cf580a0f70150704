/** Runs one node as a process: `edge-process.js --config node.yaml [--enroll CODE --hub URL]`. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import mqttPacket from 'mqtt-packet'
import pino from 'pino'
import { loadConfig } from './config/config.ts'
import { builtInDrivers } from './drivers/drivers.ts'
import { type FaultHook, faultPoints } from './fault-point.ts'
import { startEdge } from './main.ts'
import { openNodeSettings } from './settings/settings.ts'

const CLOSE_MS = 5000

export interface ProcessOptions {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs until SIGTERM or SIGINT; resolves with the exit code. */
export async function runEdgeProcess({ args, env }: ProcessOptions): Promise<number> {
  // Without this the packet writer keeps 65,536 ready-made numbers: 6 MB and some start-up time that a node does not have.
  mqttPacket.writeToStream.cacheNumbers = false
  const log = pino({ level: env.FERNLAB_LOG_LEVEL ?? 'info', base: null }, pino.destination({ dest: 2, sync: true }))
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: env.FERNLAB_NODE_FILE ?? 'node.yaml' },
        enroll: { type: 'string' },
        hub: { type: 'string' },
      },
    })
    const drivers = builtInDrivers()
    const config = { file: values.config }
    const { file } = await loadConfig(config, drivers)
    const dataFolder = join(env.FERNLAB_DATA ?? './data', 'nodes', file.node)
    if (values.enroll !== undefined) {
      // Loaded when needed: a node enrols once, and then need not keep the schemas of the hub's whole API.
      const { enroll } = await import('./settings/enroll.ts')
      const settings = await openNodeSettings(dataFolder, log)
      const hubUrl = values.hub ?? env.FERNLAB_PUBLIC_URL ?? pageOf(file.hub.url, env.FERNLAB_PORT)
      const enrolled = await enroll({ hubUrl, code: values.enroll, node: file.node, settings })
      log.info(enrolled, 'the node is enrolled')
    }
    const edge = await startEdge({
      config,
      dataFolder,
      drivers,
      openTransport: createOpenTransport({ clock: systemClock, log }),
      log,
      ...(env.FERNLAB_SITE === undefined ? {} : { site: env.FERNLAB_SITE }),
      ...(env.FERNLAB_BROKER_URL === undefined ? {} : { hubUrl: env.FERNLAB_BROKER_URL }),
      ...(env.FERNLAB_TLS_CA === undefined ? {} : { ca: await readFile(env.FERNLAB_TLS_CA, 'utf8') }),
      ...numberSetting(env, 'FERNLAB_HEALTH_SECONDS', (seconds) => ({ healthEveryMs: seconds * 1000 })),
      ...numberSetting(env, 'FERNLAB_LEAST_FREE_BYTES', (leastFreeBytes) => ({ leastFreeBytes })),
      ...faultPointOf(env.FERNLAB_FAULT_POINT),
    })
    await writeFile(join(dataFolder, 'process.json'), `${JSON.stringify({ pid: process.pid, node: edge.node })}\n`)
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve)
      process.once('SIGINT', resolve)
    })
    const late = setTimeout(() => {
      log.error({}, 'the node did not stop in time')
      process.exit(1)
    }, CLOSE_MS)
    await edge.close()
    clearTimeout(late)
    return 0
  } catch (thrown) {
    const error = asLabError(thrown)
    if (error.kind === 'bug')
      log.error({ error: error.message, stack: (thrown as Error).stack }, 'the node could not start')
    else process.stderr.write(`${error.message}\n`)
    return 1
  }
}

/** Where the hub's page probably is, given its broker: the same host; WebSocket shares the page's port. */
function pageOf(brokerUrl: string, port = '8080'): string {
  if (brokerUrl === 'in-process')
    throw setting('--hub', 'is needed to enrol: the address of the hub, as in https://lab.example.edu')
  const url = new URL(brokerUrl)
  switch (url.protocol) {
    case 'ws:':
      return `http://${url.host}`
    case 'wss:':
      return `https://${url.host}`
    case 'mqtts:':
      return `https://${url.hostname}`
    default:
      return `http://${url.hostname}:${port}`
  }
}

/** `name` or `name:n`: kills this process the first (n-th) time that it passes the point; for fault tests. */
function faultPointOf(text: string | undefined): { faultPoint?: FaultHook } {
  if (text === undefined) return {}
  const [name, times = '1'] = text.split(':')
  if (!faultPoints.some((known) => known === name))
    throw setting('FERNLAB_FAULT_POINT', `is ${text}; it may be ${faultPoints.join(', ')}`)
  let left = Number(times)
  return {
    faultPoint: (passed) => {
      if (passed === name && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}

function numberSetting<T>(
  env: ProcessOptions['env'],
  name: string,
  use: (value: number) => T,
): T | Record<string, never> {
  const text = env[name]
  if (text === undefined) return {}
  const value = Number(text)
  if (!(value >= 0)) throw setting(name, `is ${JSON.stringify(text)}; it must be a number`)
  return use(value)
}

function setting(name: string, message: string): LabError {
  return new LabError({ code: 'setting-invalid', kind: 'configuration', message: `${name} ${message}` })
}

if (import.meta.url === `file://${process.argv[1]}`)
  process.exitCode = await runEdgeProcess({ args: process.argv.slice(2), env: process.env })
