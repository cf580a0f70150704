import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { type DriverUnderTest, driverContract } from '../driver-contract.ts'

const transportMissing = async () => {
  throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a model needs no transport' })
}

const under = (config: unknown, rest: Pick<DriverUnderTest, 'settable' | 'readable' | 'action'>) => async () => ({
  driver: createSimulatedDriver(),
  config,
  context: { name: 'model-1', clock: systemClock, log: silentLog, openTransport: transportMissing, configFolder: '.' },
  release: async () => {},
  ...rest,
})

driverContract(
  'simulated membrane',
  under(
    { model: 'hodgkin-huxley', settings: {} },
    { settable: { name: 'current', values: [2, 7.5] }, readable: ['potential', 'm', 'h', 'n'], action: 'reset' },
  ),
)
driverContract(
  'simulated constant',
  under({ model: 'constant' }, { settable: { name: 'value', values: [2, 7.5] }, readable: ['value'], action: 'noop' }),
)
