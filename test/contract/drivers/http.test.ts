import { once } from 'node:events'
import { createServer } from 'node:http'
import { createHttpDriver } from '@fernlab/edge/drivers/http/http'
import { createHttpOven } from '@fernlab/firmware-bridge/emulated/http-oven'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { driverContract } from '../driver-contract.ts'
import { realInstrument } from '../real-instrument.ts'

driverContract('http, an emulated oven', async () => {
  const server = createServer(createHttpOven({ clock: systemClock, latencyMs: 2 })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    driver: createHttpDriver(),
    config: {
      url: `http://127.0.0.1:${port}/api`,
      signals: {
        setpoint: {
          unit: 'Cel',
          read: { path: 'status', pointer: '/setpoint' },
          set: { path: 'setpoint', json: { celsius: '{value}' } },
        },
        temperature: { unit: 'Cel', read: { path: 'status', pointer: '/sensors/0/celsius' } },
        heater: {
          dtype: 'boolean',
          read: { path: 'status', pointer: '/heater/on' },
          set: { path: 'heater', json: { on: '{value}' } },
        },
        shown: { unit: 'Cel', read: { path: 'page', pattern: '<b>(-?[0-9.]+)</b> C' } },
      },
      actions: { cool: { method: 'POST', path: 'cool' } },
    },
    context: {
      name: 'oven-1',
      clock: systemClock,
      log: silentLog,
      openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
      configFolder: '.',
    },
    settable: { name: 'setpoint', values: [40.5, 61] as const },
    readable: ['setpoint', 'temperature', 'heater', 'shown'],
    action: 'cool',
    release: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
})

realInstrument('FERNLAB_TEST_HTTP', createHttpDriver)
