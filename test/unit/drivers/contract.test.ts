import { contractCases, type DriverUnderTest } from '@fernlab/edge/driver-kit/contract'
import type { Driver, Instrument } from '@fernlab/edge/drivers/driver'
import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the contract of drivers finds what breaks it')

const sound = createSimulatedDriver()
const under: DriverUnderTest = {
  driver: sound,
  config: { model: 'constant', settings: { value: 2 } },
  context: {
    name: 'tested',
    clock: systemClock,
    log: silentLog,
    openTransport: () => Promise.reject(new TypeError('nothing is to be opened')),
    configFolder: '/',
  },
  settable: { name: 'value', values: [1, 3] },
  readable: ['value'],
  action: 'noop',
  release: async () => {},
}
const { signal } = new AbortController()

/** What the cases say of the driver, those that it passes left out. */
async function complaints(made: Partial<DriverUnderTest>): Promise<string[]> {
  const all = await Promise.all(
    contractCases(async () => ({ ...under, ...made })).map(async ({ run }) => {
      try {
        await run(signal)
        return []
      } catch (error) {
        return [(error as Error).message]
      }
    }),
  )
  return all.flat()
}

/** The driver, whose instruments do some things otherwise. */
const otherwise = (change: (instrument: Instrument) => Partial<Instrument>, driver: Partial<Driver> = {}) => ({
  driver: {
    ...sound,
    create: async (...given: Parameters<Driver['create']>) => {
      const instrument = await sound.create(...given)
      const own: Instrument = {
        spec: instrument.spec,
        open: (within) => instrument.open(within),
        read: (names, within) => instrument.read(names, within),
        set: (name, value, within) => instrument.set(name, value, within),
        call: (action, args, within) => instrument.call(action, args, within),
        close: () => instrument.close(),
      }
      return { ...own, ...change(instrument) }
    },
    ...driver,
  },
})

test('of a sound driver nothing', async () => {
  assert.equal(await complaints({}), [])
  assert.equal(await complaints(otherwise(() => ({}))), [])
})

const never = new AbortController().signal

const faults: readonly (readonly [string, Partial<DriverUnderTest>, RegExp])[] = [
  ['a set without effect', otherwise(() => ({ set: async () => {} })), /^value was set to 1, and reads 2$/m],
  [
    'a signal that is not there',
    { readable: ['value', 'pressure'] },
    /^there is no signal pressure; there are value$/m,
  ],
  [
    'nothing named to set',
    { settable: undefined as never },
    /^value can be set and read, but no signal to set is named/m,
  ],
  [
    'an unknown signal that is read',
    otherwise((own) => ({
      read: (names, within) =>
        own.read(
          names.filter((name) => name !== 'no_such'),
          within,
        ),
    })),
    /^a read of a signal no_such is not refused$/m,
  ],
  [
    'a refusal that is no LabError',
    otherwise(() => ({ call: async () => Promise.reject(new RangeError('what?')) })),
    /^a call of an action no_such rejects with RangeError: what\?; a refusal is a LabError$/m,
  ],
  [
    'a signal that is not heeded',
    otherwise((own) => ({ set: (name, value) => own.set(name, value, never) })),
    /^a set with a signal that has aborted is not refused$/m,
  ],
  [
    'a reading of long ago',
    otherwise((own) => ({
      read: async (names, within) => {
        const readings = await own.read(names, within)
        return Object.fromEntries(Object.entries(readings).map(([name, each]) => [name, { ...each, time: 1 }]))
      },
    })),
    /^value has the time 1, but was read from /m,
  ],
  [
    'a reading that is no number',
    otherwise((own) => ({
      read: async (names, within) =>
        Object.fromEntries(
          Object.entries(await own.read(names, within)).map(([name, each]) => [name, { ...each, value: Number.NaN }]),
        ),
    })),
    /^value reads NaN$/m,
  ],
  [
    'more than was asked for',
    otherwise((own) => ({
      read: async (names, within) => ({
        ...(await own.read(names, within)),
        other: { value: 1, time: Date.now() / 1000 },
      }),
    })),
    /^asked for value, it answers other, value$/m,
  ],
  [
    'another name',
    otherwise(({ spec }) => ({ spec: { ...spec, name: 'mine' } })),
    /^the spec is of mine, not of tested$/m,
  ],
  [
    'a config that is not checked',
    otherwise(() => ({}), { check: () => [] }),
    /^of a key "colour" that there is not, the path told is undefined$/m,
  ],
  [
    'an action that is not named',
    { action: undefined as never },
    /^noop needs no arguments, but no action to call is named here$/m,
  ],
  [
    'a second close that fails',
    otherwise((own) => {
      let closed = 0
      return {
        close: async () => {
          if (closed++ > 0) throw new LabError({ code: 'closed', kind: 'instrument', message: 'closed twice' })
          await own.close()
        },
      }
    }),
    /^closed twice$/m,
  ],
  ['a loss that nobody hears of', { cut: () => {} }, /^its connection can be cut, but it tells nobody$/m],
  [
    'samples with a gap',
    otherwise(() => ({
      stream: async function* () {
        for (let i = 0; ; i++) {
          const time = Float64Array.from({ length: 100 }, (_, k) => (i * 101 + k) / 1000)
          yield { time, columns: { value: time } }
          if (i > 1) return
        }
      },
    })),
    /^sample 100 comes 0\.002\d* s after the one before, not 0\.001 s$/m,
  ],
]

for (const [what, made, expected] of faults) {
  test(what, async () => assert.match((await complaints(made)).join('\n'), expected))
}

test.run()
