import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { type ServedBench, serveBench } from './served-bench.ts'

function onWire(name: string, where: (folder: string) => string): void {
  let shared: Promise<{ folder: string; bench: ServedBench }> | undefined
  const start = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-scpi-'))
    return { folder, bench: await serveBench('rc', { psu: where(folder) }) }
  }
  const make = async () => {
    shared ??= start()
    const { bench } = await shared
    return {
      driver: createScpiDriver(),
      config: { model: 'fern-psu', transport: bench.transports.psu },
      context: {
        name: 'psu-1',
        clock: systemClock,
        log: silentLog,
        openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
        configFolder: '.',
      },
      settable: { name: 'voltage', values: [1.25, 3.5] as const },
      readable: ['voltage', 'output', 'measured_voltage', 'measured_current'],
      cut: () => bench.hangUp('psu'),
      release: async () => {},
    }
  }
  driverContract(name, make, async () => {
    const started = await shared
    await started?.bench.stop()
    if (started !== undefined) await rm(started.folder, { recursive: true, force: true })
  })
}

onWire('scpi over TCP, another process', () => 'tcp:127.0.0.1:0')
onWire('scpi over a pty, another process', (folder) => `pty:${join(folder, 'psu')}`)
