/** A hub and a node with an emulated diode bench, a folder and a service in Python; both real, and clients of them. */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { type Client, type CreateClientOptions, createClient } from '@fernlab/shared/clients/typescript/client'
import { Hub } from '@fernlab/shared/clients/typescript/hub'
import { hubDirectory } from '@fernlab/shared/clients/typescript/hub-directory'
import { connect } from '@fernlab/shared/clients/typescript/node'
import { readContract } from '@fernlab/shared/clients/typescript/read-contract'
import { nodeWays } from '@fernlab/shared/clients/typescript/ways/node-ways'
import type { LocalDoor } from '@fernlab/shared/links/local/local-door'
import { type Clock, systemClock as clock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { newPerson, type TestPerson } from '../../integration/hub/session-people.ts'
import { freePort } from '../free-port.ts'
import { type RunningFernlab, startFernlab } from '../running-fernlab.ts'

const instrument = (device: string, model: string, tag: string) =>
  `driver: scpi, tags: [${tag}], config: { model: ${model}, transport: { kind: emulated, world: diode-1, device: ${device} } }`
/** `tallies`: the names of services like `count`, each in a daemon of its own. */
const nodeYaml = (tallies: readonly string[]) => `
node: demo
hub: { url: in-process }
instruments:
  psu: { ${instrument('psu', 'fern-psu', 'supply')} }
  voltmeter: { ${instrument('voltmeter', 'fern-dmm', 'multimeter')} }
  ammeter: { ${instrument('ammeter', 'fern-dmm', 'multimeter')} }
benches:
  diode-1:
    parts: { psu: psu, voltmeter: voltmeter, ammeter: ammeter }
    safeState: { psu.output: false, psu.voltage: 0 }
    limits: { psu.voltage: { low: 0, high: 5 } }
services:
  listen: { host: 127.0.0.1, port: 0 }
  own:
    results: { folder: ./results, write: true, quotaMB: 50, daemon: files, tags: [files] }
    count: { file: ./count.py, daemon: counts }
${tallies.map((name) => `    ${name}: { file: ./count.py, daemon: ${name}s }\n`).join('')}
daemons:
  files: {}
  counts: {}
${tallies.map((name) => `  ${name}s: {}\n`).join('')}
`

/** It says in which process it is, and takes its time. */
const count = `
import os
import time

class Count:
    def process(self) -> int:
        return os.getpid()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    @property
    def clock_s(self) -> float:
        return time.monotonic()
`

export interface DiodeLab {
  /** Another one after {@link restartHub}. */
  readonly hub: RunningFernlab
  readonly edge: Edge
  /** Of node.yaml, with the shared folder `results` in it. */
  readonly folder: string
  /** A client that takes the nearest way. */
  client(more?: { readonly here?: readonly LocalDoor[]; readonly onWay?: CreateClientOptions['onWay'] }): Client
  /** By way of the hub alone. */
  clientByHub(): Client
  /** Somebody else of the staff, who uses benches and may not maintain them. */
  colleague(): Promise<TestPerson>
  /** The bench is free, its other services are up, and the hub knows. */
  untilUp(): Promise<void>
  /** After it was stopped: where it was, with what it has. */
  restartHub(): Promise<void>
  close(): Promise<void>
}

export async function startDiodeLab({
  nodeClock = clock,
  tallies = [],
}: {
  readonly nodeClock?: Clock
  readonly tallies?: readonly string[]
} = {}): Promise<DiodeLab> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-client-'))
  const env = {
    FERNLAB_DEMO: '0',
    // It is started again at the same address.
    FERNLAB_PORT: String(await freePort()),
    FERNLAB_MQTT_PORT: String(await freePort()),
  }
  let hub = await startFernlab({ part: 'hub', env })
  const given = await fetch(`${hub.http}/api/v1/nodes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ node: 'demo' }),
  })
  const { code } = (await given.json()) as { code: string }
  const file = join(folder, 'node.yaml')
  await writeFile(file, nodeYaml(tallies))
  await writeFile(join(folder, 'count.py'), count)
  await mkdir(join(folder, 'results'))
  const edge = await startEdge({
    config: { file },
    dataFolder: join(folder, 'data'),
    drivers: builtInDrivers({ i2c: createI2cBuses({ clock }) }),
    openTransport: createOpenTransport({ worlds: createWorlds({ clock }), clock, log: silentLog }),
    enrollAt: { hubUrl: hub.http, code },
    clock: nodeClock,
    log: silentLog,
    reconnectMs: 50,
  })
  const lab: DiodeLab = {
    get hub() {
      return hub
    },
    edge,
    folder,
    client: ({ here, onWay } = {}) =>
      connect({
        hub: hub.http,
        token: hub.token,
        ...(here === undefined ? {} : { here }),
        ...(onWay === undefined ? {} : { onWay }),
      }),
    clientByHub: () => {
      const known = { url: hub.http, token: hub.token }
      return createClient({
        directory: hubDirectory(new Hub({ ...known, fetch })),
        ways: nodeWays({ clock, hub: known }).filter(({ kind }) => kind === 'mqtt'),
        clock,
        readContract,
      })
    },
    colleague: () =>
      newPerson(
        {
          hub: { httpUrl: hub.http },
          call: (path, { json, headers, ...init } = {}) =>
            fetch(`${hub.http}${path}`, {
              ...init,
              headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json', ...headers },
              ...(json === undefined ? {} : { body: JSON.stringify(json) }),
            }),
        },
        'instructor',
      ),
    untilUp: async () => {
      await using client = lab.client()
      for (const name of ['diode-1.psu', 'count', 'results', ...tallies])
        while ((await client.directory.find({ name, state: 'up' })).length === 0) await clock.sleep(50)
    },
    restartHub: async () => {
      hub = await startFernlab({ part: 'hub', dataFolder: hub.dataFolder, env })
    },
    close: async () => {
      await edge.close()
      await hub.cleanUp()
      rmSync(folder, { recursive: true })
    },
  }
  await lab.untilUp()
  return lab
}
