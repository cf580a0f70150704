/** A node of this process on a copy of a Pi's files, whose bus 1 is an emulated board. */
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type FoundChip, scanOf } from '@fernlab/edge/drivers/i2c/scan'
import { type Edge, startEdge } from '@fernlab/edge/main'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { MachineTree } from '../../support/machine-tree.ts'
import { type TestHub, until } from './hub-with-node.ts'

/** node.yaml of `pi`; `more` goes below its instruments, `rest` at the end. */
export const piYaml = ({ more = '', benches = '', rest = '' } = {}): string => `
node: pi
hub: { url: in-process }
instruments:
  box: { driver: simulated, config: { model: constant } }
  thermometer: { driver: i2c, config: { bus: 1, chip: tmp102, address: 0x48 } }
  lamp: { driver: gpio, config: { backend: emulated, pins: { led: { pin: 17, direction: out } } } }
${more}
benches:
  b-1: { parts: { box: box, meter: thermometer }, labs: [small], safeState: { box.value: 0 } }
${benches}
${rest}
`

export interface PiOptions {
  readonly lab: TestHub
  readonly tree: MachineTree
  readonly yaml?: string
  /** Between what the bus answers and what the node hears. */
  readonly onScan?: (found: readonly FoundChip[]) => Promise<readonly FoundChip[]>
}

/** Resolves when it is connected and its bench is free. */
export async function startPi({
  lab,
  tree,
  yaml = piYaml(),
  onScan = async (found) => found,
}: PiOptions): Promise<Edge> {
  const boards = createI2cBuses({ clock: systemClock })
  const i2c = { bus: () => boards.bus({ emulated: 'room' }) }
  const scan = scanOf(i2c)
  const edge = await startEdge({
    config: { text: yaml },
    dataFolder: join(lab.folder, 'nodes', 'pi'),
    drivers: builtInDrivers({ i2c }),
    openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
    machine: {
      rootFolder: tree.folder,
      person: { name: 'fernlab', uid: 4711, gids: [4711] },
      arch: 'arm64',
      scan: async (bus) => await onScan(await scan(bus)),
    },
    site: 'main',
    credential: await lab.hub.enrollInProcess('pi'),
    link: () => lab.hub.connectInProcess(),
    reconnectMs: 50,
    healthEveryMs: 50,
    log: silentLog,
  })
  await until(() => edge.syncState === 'synced' && edge.benches.get('b-1')?.status.state === 'free', 'the node is up')
  return edge
}
