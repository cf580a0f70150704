import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLinesDriver } from '@fernlab/edge/drivers/lines/lines'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'
import { type ServedBench, serveBench } from './served-bench.ts'

const plate = {
  driver: createLinesDriver(),
  settable: { name: 'setpoint', values: [40.5, 61] as const },
  readable: ['temperature', 'setpoint', 'heating', 'status_temperature'],
  action: 'cool',
  release: async () => {},
}
const contextWith = (openTransport: ReturnType<typeof createOpenTransport>) => ({
  name: 'plate-1',
  clock: systemClock,
  log: silentLog,
  openTransport,
  configFolder: '.',
})

driverContract('lines, emulated in this process', async () => {
  const worlds = createWorlds({ clock: systemClock })
  return {
    ...plate,
    config: {
      model: 'fern-hotplate',
      timeoutMs: 10_000,
      transport: { kind: 'emulated', world: 'heat', device: 'hotplate' },
    },
    context: contextWith(createOpenTransport({ worlds, clock: systemClock, log: silentLog })),
    cut: () => worlds.world('heat').device('hotplate').hangUp(),
  }
})

const balance = {
  driver: createLinesDriver(),
  settable: { name: 'interval', values: [0.1, 0.2] as const },
  readable: ['weight', 'stable', 'interval'],
  action: 'tare',
  // As it is said, not as it is asked for.
  oldestS: 15,
  release: async () => {},
}

driverContract('lines that come unasked, emulated in this process', async () => {
  const worlds = createWorlds({ clock: systemClock })
  return {
    ...balance,
    config: {
      model: 'fern-balance',
      timeoutMs: 10_000,
      transport: { kind: 'emulated', world: 'weigh', device: 'balance' },
    },
    context: contextWith(createOpenTransport({ worlds, clock: systemClock, log: silentLog })),
    cut: () => worlds.world('weigh').device('balance').hangUp(),
  }
})

let servedBalance: Promise<{ folder: string; bench: ServedBench }> | undefined
const serveBalance = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-lines-'))
  return { folder, bench: await serveBench('weigh', { balance: `pty:${join(folder, 'balance')}` }) }
}
driverContract(
  'lines that come unasked over a pty, another process',
  async () => {
    servedBalance ??= serveBalance()
    const { bench } = await servedBalance
    return {
      ...balance,
      config: { model: 'fern-balance', timeoutMs: 10_000, transport: bench.transports.balance },
      context: contextWith(createOpenTransport({ clock: systemClock, log: silentLog })),
      cut: () => bench.hangUp('balance'),
    }
  },
  async () => {
    const started = await servedBalance
    await started?.bench.stop()
    if (started !== undefined) await rm(started.folder, { recursive: true, force: true })
  },
)

let served: Promise<{ folder: string; bench: ServedBench }> | undefined
const serve = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-lines-'))
  return { folder, bench: await serveBench('heat', { hotplate: `pty:${join(folder, 'plate')}` }) }
}
driverContract(
  'lines over a pty, another process',
  async () => {
    served ??= serve()
    const { bench } = await served
    return {
      ...plate,
      config: { model: 'fern-hotplate', timeoutMs: 10_000, transport: bench.transports.hotplate },
      context: contextWith(createOpenTransport({ clock: systemClock, log: silentLog })),
      cut: () => bench.hangUp('hotplate'),
    }
  },
  async () => {
    const started = await served
    await started?.bench.stop()
    if (started !== undefined) await rm(started.folder, { recursive: true, force: true })
  },
)

realInstrument('FERNLAB_TEST_LINES', createLinesDriver)
