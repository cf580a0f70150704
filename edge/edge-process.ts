/** Runs one node as a process: `edge-process.js --config node.yaml [--enroll CODE --hub URL] [--json]`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { readAuthority } from '@fernlab/shared/programs/authority'
import { isMain } from '@fernlab/shared/programs/is-main'
import { createJsonLog } from '@fernlab/shared/programs/json-log'
import { createLineLog } from '@fernlab/shared/programs/line-log'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import { runUntilStopped } from '@fernlab/shared/programs/run-until-stopped'
import { type Environment, settingWrong } from '@fernlab/shared/programs/settings-reader'
import mqttPacket from 'mqtt-packet'
import { loadConfig } from './config/config.ts'
import { type ProcessConfig, parseProcessConfig } from './config/process-config.ts'
import { addedBeside } from './discovery/added-beside.ts'
import { builtInDrivers } from './drivers/drivers.ts'
import { scanOf } from './drivers/i2c/scan.ts'
import {
  addedFaultPoints,
  calibrationFaultPoints,
  type FaultHook,
  faultPoints,
  labServerFaultPoints,
  pictureFaultPoints,
} from './fault-point.ts'
import { type Edge, startEdge } from './main.ts'
import { upLines } from './up-lines.ts'

export interface ProcessOptions {
  readonly args: readonly string[]
  readonly env: Environment
}

/** Runs until a signal; the log goes to standard error, as plain lines at a terminal unless `--json` is given. */
export async function main(options: ProcessOptions): Promise<never> {
  // A second translation of everything that is warm: 1.5 MB for speed that a node does not miss.
  setFlagsFromString('--no-sparkplug')
  // Without this the packet writer keeps 65,536 ready-made numbers: 6 MB and some start-up time that a node does not have.
  mqttPacket.writeToStream.cacheNumbers = false
  return await runUntilStopped(async () => {
    const edge = await openEdge(options)
    return { stop: () => edge.close() }
  })
}

async function openEdge({ args, env }: ProcessOptions): Promise<Edge> {
  const given = readArguments(
    {
      args: [...args],
      options: {
        config: { type: 'string' },
        enroll: { type: 'string' },
        hub: { type: 'string' },
        json: { type: 'boolean' },
      },
    },
    '--config node.yaml [--enroll CODE --hub URL] [--json]',
  ).values
  const settings = parseProcessConfig(env, process.cwd())
  const i2c = createI2cBuses({ clock: systemClock })
  const drivers = builtInDrivers({ i2c })
  const config = { file: given.config ?? settings.nodeFile }
  const added = await addedBeside(config.file, settings.dataFolder)
  const { file } = await loadConfig(config, drivers, undefined, added)
  const dataFolder = join(settings.dataFolder, 'nodes', file.node)
  const isForPeople = given.json !== true && process.stdout.isTTY === true && process.stderr.isTTY === true
  const log = isForPeople
    ? createLineLog({ level: settings.logLevel, write: (line) => void process.stderr.write(line) })
    : createJsonLog(settings.logLevel)
  const ca = await readAuthority(settings.caFile)
  const edge = await startEdge({
    config,
    dataFolder,
    drivers,
    openTransport: createOpenTransport({ clock: systemClock, log }),
    machine: { scan: scanOf(i2c) },
    log,
    ...(given.enroll === undefined
      ? {}
      : { enrollAt: { code: given.enroll, hubUrl: hubAddress(given.hub, settings, file.hub?.url) } }),
    ...(settings.site === undefined ? {} : { site: settings.site }),
    ...(settings.brokerUrl === undefined ? {} : { hubUrl: settings.brokerUrl }),
    ...(ca === undefined ? {} : { ca }),
    ...(settings.healthEveryMs === undefined ? {} : { healthEveryMs: settings.healthEveryMs }),
    ...(settings.leastFreeBytes === undefined ? {} : { leastFreeBytes: settings.leastFreeBytes }),
    ...faultPointOf(env.FERNLAB_FAULT_POINT),
  })
  await writeFile(join(dataFolder, 'process.json'), `${JSON.stringify({ pid: process.pid, node: edge.node })}\n`)
  if (isForPeople) {
    const { node, services, broker } = edge
    const lines = upLines({ node, addresses: services.addresses, broker })
    process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }
  return edge
}

/** Where to enrol: as given, else where the hub's page probably is: on its broker's host; WebSocket shares its port. */
function hubAddress(
  given: string | undefined,
  { publicUrl, port }: ProcessConfig,
  brokerUrl: string | undefined,
): string {
  const address = given ?? publicUrl
  if (address !== undefined && !(/^https?:\/\//.test(address) && URL.canParse(address))) {
    throw settingWrong(
      '--hub',
      `is ${JSON.stringify(address)}; it may be an address that begins with http:// or https://`,
    )
  }
  if (address !== undefined) return address
  if (brokerUrl === 'in-process' || brokerUrl === undefined)
    throw settingWrong('--hub', 'is needed to enrol: the address of the hub, as in https://lab.example.edu')
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
  const points = [
    ...faultPoints,
    ...labServerFaultPoints,
    ...pictureFaultPoints,
    ...calibrationFaultPoints,
    ...addedFaultPoints,
  ]
  if (!points.some((known) => known === name))
    throw settingWrong('FERNLAB_FAULT_POINT', `is ${text}; it may be ${points.join(', ')}`)
  let left = Number(times)
  return {
    faultPoint: (passed) => {
      if (passed === name && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}

if (isMain(import.meta.url)) await main({ args: process.argv.slice(2), env: process.env })
