import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { scanOf } from '@fernlab/edge/drivers/i2c/scan'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'

/** The node's name in `shared/labs/demo-node/node.yaml`. */
export const demoNode = 'demo'

export interface DemoNodeOptions {
  /** Everything's data folder; the node keeps its own below `nodes/demo`. */
  readonly dataFolder: string
  readonly site: string
  readonly credential: { readonly username: string; readonly password: string }
  /** Connections to the hub's broker in this process. */
  readonly link: () => Duplex
  readonly clock: Clock
  readonly log: Log
}

/** Starts the demo node: a whole node, whose benches are emulated behind its instruments' wires. */
export function startDemoNode({ dataFolder, site, credential, link, clock, log }: DemoNodeOptions): Promise<Edge> {
  const i2c = createI2cBuses({ clock })
  return startEdge({
    config: { file: fileURLToPath(import.meta.resolve('@fernlab/shared/labs/demo-node/node.yaml')) },
    dataFolder: join(dataFolder, 'nodes', demoNode),
    drivers: builtInDrivers({ i2c }),
    machine: { scan: scanOf(i2c) },
    openTransport: createOpenTransport({ worlds: createWorlds({ clock }), clock, log }),
    site,
    credential,
    link,
    clock,
    log,
  })
}
