/** A node that looks for its hardware in a folder: `node … pi-process.ts FOLDER DATA BROKER`; killed where FERNLAB_FAULT_POINT says. */
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'

const [rootFolder = '', dataFolder = '', hubUrl = ''] = process.argv.slice(2)

await startEdge({
  config: {
    object: {
      node: 'n1',
      hub: { url: hubUrl },
      instruments: { box: { driver: 'simulated', config: { model: 'constant' } } },
      benches: { 'bench-1': { parts: { box: 'box' }, safeState: {} } },
    },
  },
  dataFolder,
  drivers: builtInDrivers(),
  openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
  machine: { rootFolder, person: { name: 'fernlab', uid: 4711, gids: [4711] }, arch: 'arm64' },
  site: 'test',
  log: silentLog,
  faultPoint: (passed) => {
    if (passed === process.env.FERNLAB_FAULT_POINT) process.kill(process.pid, 'SIGKILL')
  },
})
