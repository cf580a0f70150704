import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFirmataDriver } from '@fernlab/edge/drivers/firmata/firmata'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { type ServedBench, serveBench } from './served-bench.ts'

const pins = {
  lamp: { direction: 'out', pin: 13 },
  out: { direction: 'out', pin: 8 },
  loop: { direction: 'in', pin: 7 },
  door: { direction: 'in', pin: 12, pull: 'up', activeLow: true },
  heater: { direction: 'pwm', pin: 9 },
  filtered: { direction: 'analog', pin: 'A0' },
  divider: { direction: 'analog', pin: 'A1', unit: 'mV', full: 5000 },
  flap: { direction: 'servo', pin: 10 },
  stage: { direction: 'stepper', stepPin: 2, directionPin: 3, enablePin: 4, unit: 'mm', stepsPerUnit: 80, speed: 50 },
}
const i2c = {
  registers: {
    temperature: { address: 0x48, register: 0, type: 'int16', scale: 1 / 256, unit: 'Cel' },
    alarm: { address: 0x48, register: 3, type: 'int16', scale: 1 / 256, unit: 'Cel', access: 'read-set' },
    output: { address: 0x60, register: 0x40, type: 'uint16', scale: 5 / 65_536, unit: 'V', access: 'set', safe: 0 },
  },
}
const board = {
  driver: createFirmataDriver(),
  settable: { name: 'heater', values: [20, 40] as const },
  readable: [...Object.keys(pins), 'stage_moving', 'stage_speed', 'stage_enabled', 'temperature', 'alarm'],
  action: 'stop_stage',
  release: async () => {},
}
const contextWith = (openTransport: ReturnType<typeof createOpenTransport>) => ({
  name: 'board-1',
  clock: systemClock,
  log: silentLog,
  openTransport,
  configFolder: '.',
})

driverContract('firmata, emulated in this process', async () => {
  const worlds = createWorlds({ clock: systemClock })
  return {
    ...board,
    config: { transport: { kind: 'emulated', world: 'firmata', device: 'board' }, pins, i2c },
    context: contextWith(createOpenTransport({ worlds, clock: systemClock, log: silentLog })),
    cut: () => worlds.world('firmata').device('board').hangUp(),
  }
})

/** The board in a process of its own. */
function onWire(name: string, where: (folder: string) => string): void {
  let shared: Promise<{ folder: string; bench: ServedBench }> | undefined
  const start = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-firmata-'))
    return { folder, bench: await serveBench('firmata', { board: where(folder) }) }
  }
  driverContract(
    name,
    async () => {
      shared ??= start()
      const { bench } = await shared
      return {
        ...board,
        config: { transport: bench.transports.board, pins, i2c },
        context: contextWith(createOpenTransport({ clock: systemClock, log: silentLog })),
        cut: () => bench.hangUp('board'),
      }
    },
    async () => {
      const started = await shared
      await started?.bench.stop()
      if (started !== undefined) await rm(started.folder, { recursive: true, force: true })
    },
  )
}

onWire('firmata over a pty, another process', (folder) => `pty:${join(folder, 'line')}`)
onWire('firmata over TCP, another process', () => 'tcp:127.0.0.1:0')

/**
 * The same on a real board, for whoever has one:
 * `FERNLAB_TEST_FIRMATA='{"config": {…}, "settable": {"name": "lamp", "values": [true, false]}, "readable": ["lamp"]}'`.
 * The config is that of node.yaml; the values must be safe for what is connected to it.
 */
const real = process.env.FERNLAB_TEST_FIRMATA
if (real !== undefined) {
  driverContract('firmata, a real board', async () => ({
    ...JSON.parse(real),
    driver: createFirmataDriver(),
    context: contextWith(createOpenTransport({ clock: systemClock, log: silentLog })),
    release: async () => {},
  }))
}
