/** Drivers and bare libraries in turn, on a real kernel, as the benchmark on the host asks. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import i2c from 'i2c-bus'
import { Gpio } from 'onoff'
import { askHost } from '../../support/kernel/in-guest/host.ts'
import { suite } from '../../support/suite.ts'

const test = suite('measured in the guest', { timeoutMs: 3_600_000 })
const never = new AbortController().signal
const context = {
  name: 'measured',
  clock: systemClock,
  log: silentLog,
  openTransport: async () => {
    throw new LabError({ code: 'no-transport', kind: 'bug', message: 'neither needs a transport' })
  },
  configFolder: '.',
}

const WRITES = 5000
const EVENTS = 200
const READS = 2000
/** Of the first line of the chip. */
const BASE = 458
const ADDRESS = 0x48
/** 25 °C in a TMP102's register, as the kernel gives it: low byte first. */
const RAW = 0x0019
/** What a program without a driver makes of it: bytes the right way round, twelve bits, their sign, sixteenths of a degree. */
const celsiusOf = (raw: number) => ((((raw & 0xff) << 24) | ((raw >> 8) << 16)) >> 20) / 16
const lineFile = (line: number) => `/sys/kernel/debug/gpio-mockup/gpiochip1/${line}`
const turn = () => new Promise((resolve) => setImmediate(resolve))
const medianOf = (all: number[]) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN
const perSecond = async (count: number, one: (at: number) => unknown) => {
  const began = performance.now()
  for (let at = 0; at < count; at++) await one(at)
  return (count * 1000) / (performance.now() - began)
}

/** Median of the time from a level on the line to `seen`, in ms. */
async function delay(line: number, seen: () => Promise<boolean> | boolean, reset: () => Promise<void> | void) {
  const times: number[] = []
  for (let at = 0; at < EVENTS; at++) {
    await reset()
    await systemClock.sleep(3)
    const began = performance.now()
    writeFileSync(lineFile(line), at % 2 === 0 ? '1' : '0')
    while (!(await seen())) await turn()
    times.push(performance.now() - began)
  }
  writeFileSync(lineFile(line), '0')
  await systemClock.sleep(3)
  return medianOf(times)
}

test('what the host asks for', async () => {
  const pins = await createGpioDriver().create(
    {
      chip: 'gpio-mockup-B',
      backend: 'sysfs',
      pins: { led: { pin: 17, direction: 'out' }, edges: { pin: 27, direction: 'counter', edge: 'both' } },
    },
    context,
  )
  await pins.open(never)
  const led = new Gpio(BASE + 18, 'out')
  const input = new Gpio(BASE + 28, 'in', 'both')
  let inputs = 0
  input.watch(() => {
    inputs++
  })
  const buses = '/sys/class/i2c-dev'
  const stub = readdirSync(buses).find((each) => readFileSync(`${buses}/${each}/name`, 'utf8').includes('SMBus stub'))
  const bus = Number(stub?.replace('i2c-', ''))
  const bare = await i2c.openPromisified(bus)
  await bare.writeWord(ADDRESS, 0, RAW)
  const chip: Instrument = await createI2cDriver().create({ bus, chip: 'tmp102', address: ADDRESS }, context)
  await chip.open(never)
  const edges = async () => Number((await pins.read(['edges'], never)).edges?.value)

  let before = 0
  const measure: Readonly<Record<string, () => Promise<number>>> = {
    'writes-driver': () => perSecond(WRITES, (at) => pins.set('led', at % 2 === 0, never)),
    'writes-bare': () => perSecond(WRITES, (at) => led.writeSync(at % 2 === 0 ? 1 : 0)),
    'event-driver': () =>
      delay(
        27,
        async () => (await edges()) > before,
        async () => {
          before = await edges()
        },
      ),
    'event-bare': () =>
      delay(
        28,
        () => inputs > before,
        () => {
          before = inputs
        },
      ),
    'reads-driver': () =>
      perSecond(READS, async () => {
        const { temperature } = await chip.read(['temperature'], never)
        if (temperature?.value !== 25) throw new TypeError(`${temperature?.value} was read`)
      }),
    'reads-bare': () =>
      perSecond(READS, async () => {
        const celsius = celsiusOf(await bare.readWord(ADDRESS, 0))
        if (celsius !== 25) throw new TypeError(`${celsius} was read`)
      }),
  }
  for (;;) {
    const what = await askHost<string>('next')
    if (what === 'end') break
    await askHost('done', await measure[what]?.())
  }
  input.unwatchAll()
  for (const line of [led, input]) line.unexport()
  await bare.close()
  await chip.close()
  await pins.close()
})
test.run()
