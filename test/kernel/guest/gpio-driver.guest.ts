/** The driver `gpio` on a kernel's chip, by each way there is to it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Driver, DriverContext, Instrument, SignalValue } from '@fernlab/edge/drivers/driver'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { driverContract, rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const chip = 'gpio-mockup-B'
const base = 458
const mockup = '/sys/kernel/debug/gpio-mockup/gpiochip1'
const never = new AbortController().signal
const wire = (line: number) => readFileSync(`${mockup}/${line}`, 'utf8').trim()
const move = (line: number, level: boolean) => writeFileSync(`${mockup}/${line}`, level ? '1' : '0')
const isExported = (line: number) => existsSync(`/sys/class/gpio/gpio${base + line}`)

const context: DriverContext = {
  name: 'header-1',
  clock: systemClock,
  log: silentLog,
  configFolder: '.',
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
  },
}

interface Way {
  readonly name: string
  readonly backend: 'sysfs' | 'gpiod'
  /** Where its tools are. */
  readonly path?: string
  /** What `identify` says. */
  readonly about: RegExp
}

const ways: readonly Way[] = [
  { name: 'sysfs', backend: 'sysfs', about: /^gpio-mockup-B \(54 lines, from 458 on\) by sysfs$/ },
  {
    name: 'gpiod 1',
    backend: 'gpiod',
    about: /^gpio-mockup-B \(54 lines, gpiochip1\) by the tools of libgpiod v1\.6/,
  },
  {
    name: 'gpiod 2',
    backend: 'gpiod',
    path: '/opt/gpiod-2/bin',
    about: /^gpio-mockup-B \(54 lines, gpiochip1\) by the tools of libgpiod v2\./,
  },
]
const ownPath = process.env.PATH ?? ''

for (const way of ways) {
  const usePath = () => {
    process.env.PATH = way.path === undefined ? ownPath : `${way.path}:${ownPath}`
  }
  const driver: Driver = createGpioDriver()
  const configOf = (pins: object) => ({ chip, backend: way.backend, pins })
  driverContract(`gpio, by ${way.name}`, async () => {
    usePath()
    return {
      driver,
      config: configOf({ led: { pin: 17, direction: 'out' }, door: { pin: 27, direction: 'in', debounceMs: 5 } }),
      context,
      settable: { name: 'led', values: [true, false] },
      readable: ['led', 'door', 'door_edges', 'door_since'],
      release: async () => {},
    }
  })

  const test = suite(`gpio, by ${way.name}`, { timeoutMs: 60_000 })
  test.before(usePath)
  const withPins = async (pins: object, work: (instrument: Instrument) => Promise<void>) => {
    usePath()
    const instrument = await driver.create(configOf(pins), context)
    try {
      await instrument.open(never)
      await work(instrument)
    } finally {
      await instrument.close()
    }
  }

  test('says how it reaches which chip', () =>
    withPins({ led: { pin: 17, direction: 'out' } }, async (instrument) => {
      assert.match((await instrument.identify?.(never)) ?? '', way.about)
    }))

  test('puts the level that it is told on the line of the chip', () =>
    withPins(
      { led: { pin: 17, direction: 'out' }, pump: { pin: 18, direction: 'out', activeLow: true, initial: true } },
      async (instrument) => {
        assert.equal([wire(17), wire(18)], ['0', '0'])
        await instrument.set('led', true, never)
        await instrument.set('pump', false, never)
        assert.equal([wire(17), wire(18)], ['1', '1'])
      },
    ))

  test('tells of edges with their times, and reads the level', () => {
    move(27, false)
    return withPins({ door: { pin: 27, direction: 'in', activeLow: true } }, async (instrument) => {
      assert.is(await value(instrument, 'door'), true)
      const beforeS = Date.now() / 1000
      move(27, true)
      const afterS = Date.now() / 1000
      await becomes(instrument, 'door_edges', 1)
      const seenS = Date.now() / 1000
      assert.is(await value(instrument, 'door'), false)
      const sinceS = Number(await value(instrument, 'door_since'))
      // By sysfs it is the node that notices.
      const latestS = way.backend === 'sysfs' ? seenS : afterS + 0.1
      assert.ok(sinceS > beforeS - 0.005 && sinceS < latestS, `${sinceS - beforeS} s`)
      move(27, false)
      await becomes(instrument, 'door_edges', 2)
    })
  })

  test('leaves one change of a bounce', () => {
    move(27, false)
    // Longer than a busy machine leaves the bouncing alone.
    return withPins({ door: { pin: 27, direction: 'in', debounceMs: 1500 } }, async (instrument) => {
      for (let i = 0; i < 9; i++) {
        move(27, i % 2 === 0)
        await systemClock.sleep(2)
      }
      assert.is(await value(instrument, 'door'), false)
      await becomes(instrument, 'door', true)
      assert.is(await value(instrument, 'door_edges'), 1)
    })
  })

  test('counts pulses, those of the edge that is asked for alone', () =>
    withPins(
      { rise: { pin: 22, direction: 'counter' }, all: { pin: 23, direction: 'counter', edge: 'both' } },
      async (instrument) => {
        for (let i = 1; i <= 40; i++) {
          move(22, i % 2 === 1)
          await becomes(instrument, 'rise', Math.ceil(i / 2))
          move(23, i % 2 === 1)
          await becomes(instrument, 'all', i)
        }
        const frequencyHz = Number(await value(instrument, 'rise_frequency'))
        assert.ok(frequencyHz > 0.5 && frequencyHz < 2000, `${frequencyHz} Hz`)
      },
    ))

  test('refuses a line that the chip has not', async () => {
    usePath()
    const instrument = await driver.create(configOf({ led: { pin: 54, direction: 'out' } }), context)
    const error = await rejection(instrument.open(never))
    await instrument.close()
    assert.is(error.code, 'gpio-line-missing')
    assert.match(error.message, /there is no line 54: gpio-mockup-B has the lines 0 to 53/)
  })

  test('names who holds a line, and leaves nothing taken of the others', async () => {
    usePath()
    const holder = spawn('gpioset', [...holderArguments(way), '6=1'], { stdio: 'ignore' })
    try {
      for (let tries = 0; wire(6) !== '1' && tries < 200; tries++) await systemClock.sleep(10)
      assert.is(wire(6), '1')
      const pins = { led: { pin: 17, direction: 'out' }, lamp: { pin: 6, direction: 'out' } }
      const instrument = await driver.create(configOf(pins), context)
      const error = await rejection(instrument.open(never))
      await instrument.close()
      assert.is(error.code, 'gpio-line-held')
      assert.match(error.message, /line 6 of gpio-mockup-B is held by gpioset/)
      await withPins({ led: { pin: 17, direction: 'out' } }, async () => {})
    } finally {
      holder.kill()
      await once(holder, 'exit')
    }
  })

  test('says which group is missing to a user who may not', async () => {
    usePath()
    const instrument = await driver.create(configOf({ led: { pin: 40, direction: 'out' } }), context)
    process.seteuid?.(65_534)
    try {
      const error = await rejection(instrument.open(never))
      assert.is(error.code, 'gpio-not-permitted', error.message)
      assert.match(error.message, /in the group gpio; type: sudo usermod -aG gpio /)
    } finally {
      process.seteuid?.(0)
      await instrument.close()
    }
  })

  test('says which chips there are when its own is not there', async () => {
    usePath()
    const config = { backend: way.backend, pins: { led: { pin: 17, direction: 'out' } } }
    const instrument = await driver.create(config, context)
    const error = await rejection(instrument.open(never))
    await instrument.close()
    assert.is(error.code, 'gpio-chip-missing')
    assert.match(error.message, /pinctrl-bcm2711.*gpio-mockup-B \(54 lines\)/)
  })

  if (way.backend === 'sysfs') {
    test('leaves an output at its safe level', async () => {
      await withPins({ pump: { pin: 18, direction: 'out', safe: true } }, async (instrument) => {
        assert.is(wire(18), '1')
        await instrument.set('pump', false, never)
        assert.is(wire(18), '0')
      })
      assert.is(wire(18), '1')
    })

    test('takes over a line that a node which was killed has left', async () => {
      writeFileSync('/sys/class/gpio/export', String(base + 30))
      writeFileSync(`/sys/class/gpio/gpio${base + 30}/direction`, 'high')
      await withPins({ in: { pin: 30, direction: 'in' } }, async (instrument) => {
        move(30, !(await value(instrument, 'in')))
        await becomes(instrument, 'in_edges', 1)
      })
      assert.is(isExported(30), false)
    })
  } else {
    test('takes its line again when the tool that holds it is ended', () =>
      withPins({ led: { pin: 33, direction: 'out', initial: true } }, async (instrument) => {
        const seen: boolean[] = []
        const back = new Promise<void>((resolve) => {
          instrument.onConnection?.((up) => {
            seen.push(up)
            if (up) resolve()
          })
        })
        const holders = holdersOf(33, 1)
        assert.is(holders.length, 1)
        for (const pid of holders) process.kill(pid)
        await back
        assert.equal(seen, [false, true])
        assert.is(wire(33), '1')
      }))
  }

  test.after(async () => {
    process.env.PATH = ownPath
    for (const line of [17, 18]) {
      if (isExported(line)) writeFileSync('/sys/class/gpio/unexport', String(base + line))
    }
  })
  test.run()
}

function holderArguments(way: Way): string[] {
  return way.path === undefined ? ['--mode=signal', chip] : ['--chip', 'gpiochip1']
}

const value = async (instrument: Instrument, signal: string): Promise<SignalValue | undefined> =>
  (await instrument.read([signal], never))[signal]?.value

/** Waits for the signal to have the value; fails with what it has when it does not come to that. */
async function becomes(instrument: Instrument, signal: string, wanted: SignalValue): Promise<void> {
  const endMs = performance.now() + 20_000
  while ((await value(instrument, signal)) !== wanted && performance.now() < endMs) await systemClock.sleep(2)
  assert.is(await value(instrument, signal), wanted, signal)
}

/** The processes of a gpioset that holds this line at this level. */
function holdersOf(line: number, level: 0 | 1): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const words = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') : []
      // Version 2 takes its argument apart where it stands.
      return words.some((word) => word.endsWith('gpioset')) && `${words.join('=')}`.endsWith(`=${line}=${level}=`)
    })
    .map(Number)
}
