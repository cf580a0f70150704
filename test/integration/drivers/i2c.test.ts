import { loadConfig } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { createI2cDriver } from '@fernlab/edge/drivers/i2c/i2c'
import { scanBus } from '@fernlab/edge/drivers/i2c/scan'
import type { Transfer } from '@fernlab/firmware-bridge/emulated/i2c/emulated-adapter'
import { I2cBus } from '@fernlab/firmware-bridge/i2c/bus'
import { openKernelAdapter } from '@fernlab/firmware-bridge/i2c/kernel-adapter'
import { busFailed, transferFailed } from '@fernlab/firmware-bridge/i2c/kernel-errors'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { testBoard, withOpen } from '../../support/i2c-chips.ts'
import { suite } from '../../support/suite.ts'

const test = suite('chips on I2C')
const never = new AbortController().signal

/** The next `n` times that the instrument says how its connection is. */
function connections(instrument: { onConnection?(listener: (up: boolean, reason?: string) => void): void }, n: number) {
  const seen: string[] = []
  return new Promise<string[]>((resolve) => {
    instrument.onConnection?.((up, reason) => {
      seen.push(up ? 'up' : (reason ?? ''))
      if (seen.length === n) resolve(seen)
    })
  })
}

test('a transaction is never interleaved with the transfers of other chips', async () => {
  const { wires } = testBoard()
  const bus = new I2cBus('the bus', async () => wires.adapter())
  const seen: number[] = []
  wires.onTransfer = ({ address }: Transfer) => seen.push(address)
  const addresses = [0x48, 0x49, 0x4a]
  const release = bus.use()
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      bus.transaction(addresses[i % 3] ?? 0, never, async (wire) => {
        for (let transfer = 0; transfer < 4; transfer++) await wire.readWord(0)
      }),
    ),
  )
  await release()
  assert.is(seen.length, 240)
  for (let i = 0; i < seen.length; i += 4) assert.is(new Set(seen.slice(i, i + 4)).size, 1, `transaction ${i / 4}`)
})

test('many chips of one bus are read at once, each its own value', async () => {
  const { chip } = testBoard()
  const all = await Promise.all([chip('tmp102', 0x48), chip('tmp105', 0x49), chip('lm75', 0x4a)])
  await Promise.all(all.map((each) => each.open(never)))
  const rounds = Array.from({ length: 50 }, () => Promise.all(all.map((each) => each.read(['temperature'], never))))
  for (const round of await Promise.all(rounds)) {
    assert.equal(
      round.map((readings) => readings.temperature?.value),
      [22.5, 22.5, 22.5],
    )
  }
  await Promise.all(all.map((each) => each.close()))
})

test('a chip that is not there is named with its address, and nothing is left open', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('lm75', 0x4c)
  const error = await rejection(instrument.open(never))
  assert.is(error.code, 'i2c-no-answer')
  assert.is(error.kind, 'link')
  assert.match(error.message, /^nothing answers at 0x4c on the emulated board bench: check its wiring/)
  wires.onTransfer = () => assert.unreachable('it was left open')
  await instrument.close()
})

test('another chip at the address is refused: a TMP105 does not keep the settings of a TMP102', async () => {
  const { wires, chip } = testBoard()
  const error = await rejection((await chip('tmp102', 0x49)).open(never))
  assert.is(error.code, 'i2c-wrong-chip')
  assert.match(error.message, /does not keep the configuration of a TMP102/)
  wires.setFault(0x48, undefined)
})

test('a chip that stops in the middle of a transfer fails that call, goes offline with the reason, and comes back', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('tmp102', 0x48)
  await withOpen(instrument, async (signal) => {
    const seen = connections(instrument, 2)
    wires.setFault(0x48, { kind: 'broken-off', afterBytes: 0 })
    assert.is((await rejection(instrument.read(['temperature'], signal))).code, 'i2c-broken-off')
    assert.is((await rejection(instrument.read(['temperature'], signal))).code, 'i2c-broken-off')
    wires.setFault(0x48, undefined)
    const [down = '', up] = await seen
    assert.match(down, /^a transfer with 0x48 on the emulated board bench broke off/)
    assert.is(up, 'up')
    assert.is((await instrument.read(['temperature'], signal)).temperature?.value, 22.5)
  })
})

test('a chip that lost its power while nobody read it is configured again', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('tmp102', 0x48, { bits: 13, rateHz: 8 })
  await withOpen(instrument, async (signal) => {
    const seen = connections(instrument, 2)
    wires.powerCycle(0x48)
    const [down = '', up] = await seen
    assert.match(down, /^TMP102: the chip has lost its settings/)
    assert.is(up, 'up')
    assert.match((await instrument.identify?.(signal)) ?? '', /^TMP102 at 0x48 on the emulated board bench$/)
  })
})

test('a bus that hangs says so for each of its chips, and all come back when it is free', async () => {
  const { wires, chip } = testBoard()
  const [first, second] = await Promise.all([chip('tmp102', 0x48), chip('lm75', 0x4a)])
  await Promise.all([first.open(never), second.open(never)])
  const seen = Promise.all([connections(first, 2), connections(second, 2)])
  wires.setFault(0x49, { kind: 'stuck' })
  assert.is((await rejection(first.read(['temperature'], never))).code, 'i2c-bus-stuck')
  assert.match((await rejection(second.read(['temperature'], never))).message, /something holds SDA or SCL low/)
  wires.setFault(0x49, undefined)
  for (const [, up] of await seen) assert.is(up, 'up')
  await Promise.all([first.close(), second.close()])
})

test('a temperature is not read before the first conversion: 0 °C is what the register holds until then', async () => {
  const { chip } = testBoard({ instant: false })
  const instrument = await chip('tmp102', 0x48)
  await withOpen(instrument, async (signal) => {
    const value = Number((await instrument.read(['temperature'], signal)).temperature?.value)
    assert.ok(value > 18 && value < 26, `${value}`)
  })
})

test('SHT31: a wrong checksum fails the reading, not the instrument', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('sht31', 0x44)
  await withOpen(instrument, async (signal) => {
    instrument.onConnection?.(() => assert.unreachable('it went offline'))
    wires.setFault(0x44, { kind: 'garbled' })
    const error = await rejection(instrument.read(['humidity'], signal))
    assert.is(error.code, 'i2c-checksum-wrong')
    assert.is(error.retry, 'now')
    wires.setFault(0x44, undefined)
    const { temperature, humidity } = await instrument.read(['temperature', 'humidity'], signal)
    assert.ok(Math.abs(Number(temperature?.value) - 22.5) < 0.002)
    assert.ok(Math.abs(Number(humidity?.value) - 45) < 0.001)
  })
})

test('SHT31: its heater warms it, and is off again after a loss of power', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('sht31', 0x44)
  await withOpen(instrument, async (signal) => {
    await instrument.set('heater', true, signal)
    const warm = await instrument.read(['temperature', 'humidity', 'heater'], signal)
    assert.ok(Number(warm.temperature?.value) > 25 && Number(warm.humidity?.value) < 40)
    const seen = connections(instrument, 2)
    wires.powerCycle(0x44)
    const [down = ''] = await seen
    assert.match(down, /^SHT31: the chip has lost its settings/)
    assert.is((await instrument.read(['heater'], signal)).heater?.value, false)
  })
})

test('BME280: what its own formulas make of its registers is what the room is', async () => {
  const { chip } = testBoard()
  const instrument = await chip('bme280', 0x76, { humidityTimes: 4, filter: 2 })
  await withOpen(instrument, async (signal) => {
    const { temperature, pressure, humidity } = await instrument.read(['temperature', 'pressure', 'humidity'], signal)
    assert.ok(Math.abs(Number(temperature?.value) - 22.5) < 0.01, `${temperature?.value}`)
    assert.ok(Math.abs(Number(pressure?.value) - 101_325) < 1, `${pressure?.value}`)
    assert.ok(Math.abs(Number(humidity?.value) - 45) < 0.05, `${humidity?.value}`)
    assert.is(await instrument.identify?.(signal), 'BME280 (chip id 0x60) at 0x76 on the emulated board bench')
  })
})

test('BME280: another chip, and one without trimming values, are refused', async () => {
  const { wires, chip } = testBoard()
  const silent = { write: () => true, powerOn: () => {} }
  wires.attach(0x77, { ...silent, read: (length) => new Uint8Array(length).fill(0x58) })
  const other = await rejection((await chip('bme280', 0x77)).open(never))
  assert.is(other.code, 'i2c-wrong-chip')
  assert.match(other.message, /is a BMP280, which measures no humidity/)
  let pointer = 0
  wires.attach(0x77, {
    ...silent,
    write: ([register = 0]) => {
      pointer = register
      return true
    },
    read: (length) => new Uint8Array(length).fill(pointer === 0xd0 ? 0x60 : 0),
  })
  assert.match((await rejection((await chip('bme280', 0x77)).open(never))).message, /trimming values .* are empty/)
})

test('BME280: registers that were never measured are no reading', async () => {
  const { wires, chip } = testBoard()
  const instrument = await chip('bme280', 0x76)
  await withOpen(instrument, async (signal) => {
    wires.powerCycle(0x76)
    const error = await rejection(instrument.read(['humidity'], signal))
    assert.is(error.code, 'i2c-not-ready')
  })
})

test('ADS1115: single inputs, differences, gains, and what is beyond a range', async () => {
  const { chip } = testBoard()
  const inputs = {
    dac: { pin: 'A0', rangeV: 2.048 },
    bridge: { pin: 'A0-A1', rangeV: 1.024 },
    beyond: { pin: 'A0', rangeV: 2.048 },
  }
  const instrument = await chip('ads1115', 0x4b, { inputs, rateHz: 860 })
  await withOpen(instrument, async (signal) => {
    const source = await chip('mcp4725', 0x60, { supplyV: 4.096 })
    await source.open(signal)
    await source.set('voltage', 1.25, signal)
    const { dac, bridge } = await instrument.read(['dac', 'bridge'], signal)
    assert.ok(Math.abs(Number(dac?.value) - 1.25) < 4e-5)
    assert.ok(Math.abs(Number(bridge?.value) - 0.625) < 2e-5)
    await source.set('voltage', 4, signal)
    await source.close()
    const error = await rejection(instrument.read(['beyond'], signal))
    assert.is(error.code, 'reading-overload')
    assert.match(error.message, /^beyond: the voltage is at or beyond the end of its range of 2.048 V$/)
  })
})

const head = 'site: s\nnode: n\nhub: {url: "mqtt://h:1"}\ninstruments:\n'
const issuesOf = (...configs: string[]) =>
  loadConfig(
    { text: `${head}${configs.map((config, i) => `  i${i}: {driver: i2c, config: ${config}}\n`).join('')}` },
    builtInDrivers(),
  ).then(
    () => [],
    (error: LabError) => error.issues.map(({ path, message }) => `${path}: ${message}`),
  )

test('what a chip can not be is refused before the node starts', async () => {
  assert.equal(await issuesOf('{chip: tmp102, bus: 1, address: 0x48}'), [])
  assert.equal(await issuesOf('{chip: tmp102, bus: 1, address: 0x50}'), [
    'instruments.i0.config.address: a tmp102 can be at 0x48 to 0x4b',
  ])
  assert.equal(await issuesOf('{chip: tmp105, bus: 1, address: 0x4a}'), [
    'instruments.i0.config.address: a tmp105 can be at 0x48 or 0x49',
  ])
  const [unknown = ''] = await issuesOf('{chip: tmp1000, bus: 1, address: 0x48}')
  assert.match(unknown, /^instruments\.i0\.config\.chip: /)
  const [bus = ''] = await issuesOf('{chip: tmp102, bus: one, address: 0x48}')
  assert.match(bus, /^instruments\.i0\.config\.bus: must be the number of \/dev\/i2c-N, or \{emulated: NAME\}/)
  const [setting = ''] = await issuesOf('{chip: tmp102, bus: 1, address: 0x48, settings: {rateHz: 5}}')
  assert.match(setting, /^instruments\.i0\.config\.settings\.rateHz: /)
})

test('an address that two instruments use is refused, and one on another bus is not', async () => {
  const [twice = ''] = await issuesOf('{chip: tmp102, bus: 1, address: 0x48}', '{chip: lm75, bus: 1, address: 0x48}')
  assert.match(twice, /^instruments\.i1\.config\.address: the address 0x48 on I2C bus 1 is claimed by instruments\.i0/)
  assert.equal(await issuesOf('{chip: tmp102, bus: 1, address: 0x48}', '{chip: lm75, bus: 3, address: 0x48}'), [])
  assert.equal(
    createI2cDriver()
      .claims?.({ chip: 'tmp102', bus: 1, address: 0x48 })
      .map(({ key }) => key),
    ['i2c:1:0x48'],
  )
})

test('a scan says who answers, and which chips that may be', async () => {
  const { wires } = testBoard()
  wires.setFault(0x49, { kind: 'absent' })
  const found = await scanBus(new I2cBus('the bus', async () => wires.adapter()), never)
  assert.equal(
    found.map(({ address, state }) => [address, state]),
    [0x20, 0x40, 0x43, 0x44, 0x48, 0x4a, 0x4b, 0x60, 0x76].map((address) => [address, 'answers']),
  )
  assert.equal(found[0]?.chips, ['mcp23017'])
  assert.equal(found[3]?.chips, ['sht31', 'pca9685', 'ina219'])
})

test('a bus that is not enabled says which line to type', async () => {
  const error = await rejection(openKernelAdapter(77))
  assert.is(error.code, 'i2c-bus-missing')
  assert.match(error.message, /no \/dev\/i2c-77.*dtparam=i2c_arm=on to \/boot\/firmware\/config\.txt/)
  const errno = (code: string) => Object.assign(new Error(code), { code })
  assert.match(busFailed(1, errno('ENOENT'), [20, 21]).message, /no \/dev\/i2c-1; there is bus 20, bus 21/)
  assert.match(busFailed(1, errno('EACCES'), []).message, /add it to the group i2c \(sudo usermod -aG i2c USER\)/)
})

test('the kernel’s error numbers are told in words, each with what to do', () => {
  const said = (code: string) => transferFailed('I2C bus 1', 0x48, Object.assign(new Error(code), { code }))
  const codes = ['ENXIO', 'EREMOTEIO', 'ENODEV', 'EIO', 'ETIMEDOUT', 'EBUSY', 'EOPNOTSUPP', 'ENOTSUP'].map(
    (code) => said(code).code,
  )
  assert.equal(codes, [
    'i2c-no-answer',
    'i2c-no-answer',
    'i2c-no-answer',
    'i2c-broken-off',
    'i2c-bus-stuck',
    'i2c-address-in-use',
    'i2c-call-unsupported',
    'i2c-call-unsupported',
  ])
  for (const code of ['ENXIO', 'EIO', 'ETIMEDOUT', 'EBUSY']) assert.is(said(code).kind, 'link')
  assert.match(said('EBUSY').message, /a driver of the kernel has 0x48 on I2C bus 1/)
})

test('a number without a name is told by what it is: so a Raspberry Pi says that nobody answered', () => {
  const error = transferFailed(
    'I2C bus 1',
    0x48,
    Object.assign(new Error('Unknown error 121'), { code: '', errno: 121 }),
  )
  assert.is(error.code, 'i2c-no-answer')
  assert.match(error.message, /^nothing answers at 0x48 on I2C bus 1.*\(EREMOTEIO\)$/)
})

test.run()
