import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createModbusDriver } from '@fernlab/edge/drivers/modbus/modbus'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'
import { type ServedBench, serveBench } from './served-bench.ts'

const signals = {
  setpoint: { unit: 'Cel', address: 0, type: 'int16', scale: 0.1, writable: true },
  gain: { unit: 'W/K', address: 1, type: 'float32', writable: true },
  heater: { table: 'coil', address: 0, type: 'bit', writable: true },
  temperature: { unit: 'Cel', table: 'input', address: 0, type: 'int16', scale: 0.1 },
  heats: { table: 'input', address: 1, type: 'bit', bit: 0 },
  door: { table: 'discrete', address: 0, type: 'bit' },
}
const oven = {
  settable: { name: 'setpoint', values: [40.5, 61.1] as const },
  readable: ['setpoint', 'gain', 'heater', 'temperature', 'heats', 'door'],
  release: async () => {},
}
const contextWith = (openTransport: ReturnType<typeof createOpenTransport>) => ({
  name: 'oven-1',
  clock: systemClock,
  log: silentLog,
  openTransport,
  configFolder: '.',
})

driverContract('modbus, emulated in this process', async () => {
  const worlds = createWorlds({ clock: systemClock })
  return {
    ...oven,
    driver: createModbusDriver(),
    config: { transport: { kind: 'emulated', world: 'heat', device: 'modbus' }, unit: 1, signals },
    context: contextWith(createOpenTransport({ worlds, clock: systemClock, log: silentLog })),
    cut: () => worlds.world('heat').device('modbus').hangUp(),
  }
})

/** The line in a process of its own. */
function onWire(name: string, where: (folder: string) => string, framing?: 'rtu'): void {
  let shared: Promise<{ folder: string; bench: ServedBench }> | undefined
  const start = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-modbus-'))
    return { folder, bench: await serveBench('heat', { modbus: where(folder) }) }
  }
  driverContract(
    name,
    async () => {
      shared ??= start()
      const { bench } = await shared
      return {
        ...oven,
        driver: createModbusDriver(),
        config: { transport: bench.transports.modbus, unit: 1, signals, ...(framing === undefined ? {} : { framing }) },
        context: contextWith(createOpenTransport({ clock: systemClock, log: silentLog })),
        cut: () => bench.hangUp('modbus'),
      }
    },
    async () => {
      const started = await shared
      await started?.bench.stop()
      if (started !== undefined) await rm(started.folder, { recursive: true, force: true })
    },
  )
}

onWire('modbus RTU over a pty, another process', (folder) => `pty:${join(folder, 'line')}`)
onWire('modbus RTU over TCP, another process', () => 'tcp:127.0.0.1:0', 'rtu')

realInstrument('FERNLAB_TEST_MODBUS', createModbusDriver)
