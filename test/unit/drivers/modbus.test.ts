/** Modbus: registers and numbers, several units on one line, faults, Modbus TCP against the library's own server. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { loadConfig } from '@fernlab/edge/config/config'
import type { Driver, Instrument, SignalValue } from '@fernlab/edge/drivers/driver'
import { createModbusDriver } from '@fernlab/edge/drivers/modbus/modbus'
import { decode, encode, spansOf } from '@fernlab/edge/drivers/modbus/registers'
import { crcOf } from '@fernlab/firmware-bridge/emulated/modbus-frames'
import type { Fault } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import fc from 'fast-check'
import { ServerTCP } from 'modbus-serial'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('modbus', { timeoutMs: 15_000 })
const never = new AbortController().signal
const source = { instrument: 'm', command: 'reading' }

const controller = {
  setpoint: { unit: 'Cel', address: 0, type: 'int16', scale: 0.1, writable: true },
  temperature: { unit: 'Cel', table: 'input', address: 0, type: 'int16', scale: 0.1 },
  heater: { table: 'coil', address: 0, type: 'bit', writable: true },
}
const meter = {
  power: { unit: 'W', table: 'input', address: 0, type: 'float32', words: 'low-first' },
  energy: { unit: 'J', table: 'input', address: 2, type: 'uint32' },
  mains: { unit: 'V', table: 'input', address: 4, type: 'uint16', scale: 0.1 },
}

/** Instruments on the emulated line, opened. */
async function onLine<T>(
  units: Readonly<Record<string, object>>,
  work: (
    instruments: Readonly<Record<string, Instrument>>,
    device: {
      setFault: (fault: Fault | undefined) => void
      hangUp: () => void
      opened: () => number
      /** A further instrument on a port of its own, opened. */
      another: (config: object) => Promise<Instrument>
    },
  ) => Promise<T>,
): Promise<T> {
  const worlds = createWorlds({ clock: systemClock })
  const device = worlds.world('heat').device('modbus')
  const driver = createModbusDriver()
  const open = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  let opened = 0
  const openTransport: typeof open = async (config, signal) => {
    opened += 1
    return await open(config, signal)
  }
  const instruments: Record<string, Instrument> = {}
  const create = async (by: Driver, name: string, config: object) => {
    const transport = { kind: 'emulated', world: 'heat', device: 'modbus' }
    const context = { name, clock: systemClock, log: silentLog, openTransport, configFolder: '.' }
    const instrument = await by.create({ transport, timeoutMs: 100, ...config }, context)
    instruments[name] = instrument
    await instrument.open(never)
    return instrument
  }
  try {
    for (const [name, config] of Object.entries(units)) await create(driver, name, config)
    return await work(instruments, {
      setFault: (fault) => device.setFault(fault),
      hangUp: () => device.hangUp(),
      opened: () => opened,
      another: (config) => create(createModbusDriver(), 'another', config),
    })
  } finally {
    await Promise.all(Object.values(instruments).map((instrument) => instrument.close()))
  }
}

const valuesOf = async (instrument: Instrument | undefined, names: readonly string[]) => {
  const readings = (await instrument?.read(names, never)) ?? {}
  return Object.fromEntries(Object.entries(readings).map(([name, { value }]) => [name, value]))
}

test('numbers go into registers and come back, in either order of words', () => {
  const types = fc.constantFrom('int16', 'uint16', 'int32', 'uint32', 'float32')
  const orders = fc.constantFrom('high-first', 'low-first')
  const ranges = {
    int16: [-32768, 32767],
    uint16: [0, 65535],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    uint32: [0, 2 ** 32 - 1],
  }
  fc.assert(
    fc.property(types, orders, fc.double({ min: 0, max: 1, noNaN: true }), (type, words, share) => {
      const signal = { ...base, type, words } as Parameters<typeof encode>[1]
      const [low, high] = type === 'float32' ? [-1e6, 1e6] : (ranges[type] as [number, number])
      const raw = low + share * (high - low)
      const value = type === 'float32' ? Number(Math.fround(raw).toPrecision(8)) : Math.round(raw)
      const back = decode(signal, encode('x', signal, value), source) as number
      assert.ok(Math.abs(back - value) <= Math.abs(value) * 1e-7, `${type} ${words} ${value} ${back}`)
    }),
    { numRuns: cases(300) },
  )
})

const base = { unit: '1', table: 'holding', address: 0, words: 'high-first', writable: true, write: 'single' } as const

test('words, scale and offset are as documented by worked examples', () => {
  const example = (type: string, words: number[], rest: object = {}): SignalValue =>
    decode({ ...base, type, ...rest } as Parameters<typeof decode>[0], words, source)
  assert.is(example('int16', [0xff38], { scale: 0.1 }), -20)
  assert.is(example('uint16', [611], { scale: 0.1 }), 61.1)
  assert.is(example('float32', [0x42c8, 0x0000]), 100)
  assert.is(example('float32', [0x0000, 0x42c8], { words: 'low-first' }), 100)
  assert.is(example('uint32', [0x0001, 0x0000]), 65536)
  assert.is(example('int32', [0xffff, 0xfffe]), -2)
  assert.is(example('uint16', [100], { scale: 2, offset: -50 }), 150)
  assert.is(example('bit', [0b100], { bit: 2 }), true)
  assert.throws(
    () => example('float32', [0x7fc0, 0]),
    (error: LabError) => error.code === 'reply-garbled',
  )
  const encoded = (type: string, value: SignalValue, rest: object = {}) =>
    encode('x', { ...base, type, ...rest } as Parameters<typeof encode>[1], value)
  assert.equal(encoded('int16', -20, { scale: 0.1 }), [0xff38])
  assert.equal(encoded('uint32', 4_000_000_000), [0xee6b, 0x2800])
  assert.throws(
    () => encoded('uint16', -1),
    (error: LabError) => error.code === 'value-unknown',
  )
  assert.throws(() => encoded('int16', 40, { scale: 0.001 }), /from -32\.768 to 32\.767/)
  assert.throws(
    () => encoded('int16', Number.NaN),
    (error: LabError) => error.code === 'value-unknown',
  )
})

test('neighbours are read in one request, and nothing that nobody asked for', () => {
  const at = (table: string, address: number, type = 'uint16') => ({ ...base, table, address, type }) as never
  assert.equal(spansOf([at('holding', 4), at('input', 0), at('holding', 0, 'float32'), at('holding', 2, 'int32')]), [
    { table: 'holding', address: 0, count: 5 },
    { table: 'input', address: 0, count: 1 },
  ])
  assert.equal(spansOf([at('holding', 0), at('holding', 2)]).length, 2)
  const many = spansOf(Array.from({ length: 200 }, (_, i) => at('holding', i)))
  assert.equal(
    many.map(({ count }) => count),
    [125, 75],
  )
})

test('the emulated line’s CRC is that of the specification’s example', () => {
  // Modbus over Serial Line V1.02, appendix B: 02 07 gives 41 12.
  assert.is(crcOf(Uint8Array.of(0x02, 0x07)), 0x1241)
})

test('two units share a line and its one port, each with its own answers', async () => {
  await onLine({ oven: { unit: 1, signals: controller }, meter: { unit: 2, signals: meter } }, async (both, line) => {
    const { oven, meter: power } = both
    assert.is(line.opened(), 1)
    await oven?.set('setpoint', 150, never)
    await oven?.set('heater', true, never)
    const rounds = Array.from({ length: 20 }, async () => {
      const [a, b] = await Promise.all([valuesOf(oven, Object.keys(controller)), valuesOf(power, Object.keys(meter))])
      assert.is(a.setpoint, 150)
      assert.is(a.heater, true)
      assert.ok(Number(a.temperature) > 15 && Number(a.temperature) < 60, `${a.temperature} Cel`)
      assert.ok(Number(b.power) > 700 && Number(b.power) <= 800, `${b.power} W`)
      assert.ok(Math.abs(Number(b.mains) - 230) < 4, `${b.mains} V`)
    })
    await Promise.all(rounds)
    await oven?.close()
    assert.ok(Number((await valuesOf(power, ['energy'])).energy) >= 0)
  })
})

test('what a unit refuses is told in words, and it stays online', async () => {
  const signals = { ...controller, nowhere: { address: 77 }, high: { address: 0, writable: true } }
  await onLine({ oven: { unit: 1, signals } }, async ({ oven }) => {
    const missing = await rejection(oven?.read(['nowhere'], never) ?? Promise.resolve())
    assert.is(missing.code, 'instrument-refused')
    assert.match(missing.message, /oven \(unit 1\) refused reading holding 77: it has no such address.*\(exception 2\)/)
    const tooMuch = await rejection(oven?.set('high', 60_000, never) ?? Promise.resolve())
    assert.match(tooMuch.message, /refused setting holding 0 \(high\): it does not take that value \(exception 3\)/)
    assert.is((await valuesOf(oven, ['setpoint'])).setpoint, 20)
  })
})

for (const [fault, code] of [
  [{ kind: 'silent', answers: 1 }, 'instrument-silent'],
  [{ kind: 'slow', ms: 130, answers: 1 }, 'instrument-silent'],
  [{ kind: 'truncated', answers: 1 }, 'instrument-silent'],
] as const satisfies readonly (readonly [Fault, string])[]) {
  test(`${fault.kind} once: the request fails, and those after it have their own answers`, async () => {
    const signals = { ...controller, gain: { address: 1 } }
    await onLine({ oven: { unit: 1, signals }, meter: { unit: 2, signals: meter } }, async (both, line) => {
      await both.oven?.set('setpoint', 33.3, never)
      line.setFault(fault)
      assert.is((await rejection(both.oven?.read(['gain'], never) ?? Promise.resolve())).code, code)
      // The same function and length: a late answer to the first would fit.
      assert.is((await valuesOf(both.oven, ['setpoint'])).setpoint, 33.3)
      assert.ok(Math.abs(Number((await valuesOf(both.meter, ['mains'])).mains) - 230) < 4)
    })
  })
}

test('bytes that are wrong make no value, whatever they are', async () => {
  const bytes = fc.uint8Array({ maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(
      bytes,
      bytes,
      fc.nat({ max: 6 }),
      fc.integer({ min: 1, max: 255 }),
      async (before, after, at, flip) => {
        // A right answer to reading holding 0, with one byte of it changed and noise around it.
        const frame = Buffer.from([1, 3, 2, 0, 100, 0, 0])
        frame.writeUInt16LE(crcOf(frame.subarray(0, 5)), 5)
        frame[at] = (frame[at] ?? 0) ^ flip
        let say: (bytes: Uint8Array) => void = () => {}
        const openTransport = async () => ({
          write: async () => {
            setImmediate(() => say(Buffer.concat([before, frame, after])))
          },
          onData: (listener: typeof say) => {
            const others = say
            say = (piece) => {
              others(piece)
              listener(piece)
            }
          },
          onClose: () => {},
          close: async () => {},
        })
        const transport = { kind: 'tcp', host: 'line.example', port: 502 }
        const context = { name: 'oven', clock: systemClock, log: silentLog, openTransport, configFolder: '.' }
        const config = { transport, framing: 'rtu', timeoutMs: 10, signals: { setpoint: controller.setpoint } }
        const instrument = await createModbusDriver().create(config, context)
        // Its greeting is that very request.
        const { code } = await rejection(instrument.open(never))
        assert.ok(['reply-garbled', 'instrument-silent', 'instrument-refused'].includes(code), code)
        await instrument.close()
      },
    ),
    { numRuns: cases(25) },
  )
})

test('a unit that falls silent goes offline by itself, the others do not, and it comes back', async () => {
  await onLine({ oven: { unit: 1, signals: controller }, meter: { unit: 2, signals: meter } }, async (both, line) => {
    const seen: string[] = []
    const back = new Promise<void>((resolve) => {
      both.oven?.onConnection?.((up) => {
        seen.push(up ? 'oven up' : 'oven down')
        if (up) resolve()
      })
    })
    both.meter?.onConnection?.((up) => seen.push(up ? 'meter up' : 'meter down'))
    line.setFault({ kind: 'silent', answers: 2 })
    await rejection(both.oven?.read(['temperature'], never) ?? Promise.resolve())
    await rejection(both.oven?.read(['temperature'], never) ?? Promise.resolve())
    assert.equal(seen, ['oven down'])
    assert.is((await rejection(both.oven?.read(['temperature'], never) ?? Promise.resolve())).kind, 'link')
    assert.type((await valuesOf(both.meter, ['mains'])).mains, 'number')
    await back
    assert.equal(seen, ['oven down', 'oven up'])
    assert.is(line.opened(), 1)
  })
})

test('what keeps people safe waits for the one request under way, however many wait for the line', async () => {
  const meters = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`m${i}`, { unit: 2, signals: meter }]))
  const signals = { ...controller, high: { address: 0, writable: true } }
  await onLine({ oven: { unit: 1, signals }, ...meters }, async ({ oven, ...polled }, line) => {
    await oven?.set('heater', true, never)
    line.setFault({ kind: 'slow', ms: 40 })
    const done: string[] = []
    const noted = (name: string, work: Promise<unknown> | undefined) => work?.then(() => void done.push(name))
    const polls = Object.entries(polled).map(([name, each]) => noted(name, each.read(['mains'], never)))
    const safe = new Map<string, SignalValue>([
      ['heater', false],
      ['setpoint', 30],
    ])
    await noted('safe', oven?.setTogether?.(safe, never))
    assert.equal(done, ['m0', 'safe'])
    await Promise.all(polls)
    line.setFault(undefined)
    assert.equal(await valuesOf(oven, ['heater', 'setpoint']), { heater: false, setpoint: 30 })
    // One that is refused keeps the others from nothing.
    await oven?.set('heater', true, never)
    const wrong = new Map<string, SignalValue>([
      ['high', 60_000],
      ['heater', false],
    ])
    assert.is((await rejection(oven?.setTogether?.(wrong, never) ?? Promise.resolve())).code, 'instrument-refused')
    assert.equal(await valuesOf(oven, ['heater', 'setpoint']), { heater: false, setpoint: 30 })
  })
})

test('after a line was lost nothing of before counts: all is read anew, and the same value is set anew', async () => {
  await onLine({ oven: { unit: 1, signals: controller } }, async ({ oven }, line) => {
    await oven?.set('setpoint', 150, never)
    await oven?.set('heater', true, never)
    assert.equal(await valuesOf(oven, ['setpoint', 'heater']), { setpoint: 150, heater: true })
    const back = new Promise<void>((resolve) => oven?.onConnection?.((up) => up && resolve()))
    line.hangUp()
    // Somebody has been at its front panel meanwhile.
    const panel = await line.another({ unit: 1, signals: controller })
    await panel.set('setpoint', 80, never)
    await panel.set('heater', false, never)
    await back
    assert.equal(await valuesOf(oven, ['setpoint', 'heater']), { setpoint: 80, heater: false })
    await oven?.set('setpoint', 150, never)
    assert.equal(await valuesOf(panel, ['setpoint', 'heater']), { setpoint: 150, heater: false })
    await panel.close()
  })
})

test('a unit that is not there is named, with its number', async () => {
  const error = await rejection(onLine({ ghost: { unit: 9, signals: controller } }, async () => {}))
  assert.match(error.message, /ghost \(unit 9\) did not answer reading holding 0 within 100 ms/)
})

test('Modbus TCP: the library’s own server is read and set, and a late answer is known by its transaction', async () => {
  const registers = new Map([[0, 205]])
  let slowMs = 0
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const address = free.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise<void>((resolve) => free.close(() => resolve()))
  const server = new ServerTCP(
    {
      getHoldingRegister: async (at: number) => {
        const value = registers.get(at) ?? 0
        if (slowMs > 0) await systemClock.sleep(slowMs)
        return value
      },
      setRegister: async (at: number, value: number) => {
        registers.set(at, value)
      },
    },
    { host: '127.0.0.1', port, unitID: 3 },
  )
  await once(server, 'initialized')
  const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
  const context = { name: 'plc', clock: systemClock, log: silentLog, openTransport, configFolder: '.' }
  const config = {
    transport: { kind: 'tcp', host: '127.0.0.1', port },
    unit: 3,
    timeoutMs: 150,
    signals: { setpoint: controller.setpoint },
  }
  const plc = await createModbusDriver().create(config, context)
  try {
    await plc.open(never)
    assert.is((await valuesOf(plc, ['setpoint'])).setpoint, 20.5)
    slowMs = 250
    assert.is((await rejection(plc.read(['setpoint'], never))).code, 'instrument-silent')
    slowMs = 0
    registers.set(0, 999)
    assert.is((await valuesOf(plc, ['setpoint'])).setpoint, 99.9)
    await plc.set('setpoint', 12.5, never)
    assert.is(registers.get(0), 125)
  } finally {
    await plc.close()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
})

const good = { transport: { kind: 'serial', path: '/dev/ttyUSB0' }, unit: 1, signals: controller }
for (const [what, config, place, message] of [
  ['no signals', { ...good, signals: {} }, 'signals', /at least one/],
  ['unit 0 on a line', { ...good, unit: 0 }, 'unit', /1 to 247/],
  ['headers of TCP on a serial line', { ...good, framing: 'tcp' }, 'framing', /rtu/],
  [
    'an input that is set',
    { ...good, signals: { a: { table: 'input', address: 0, writable: true } } },
    'signals.a.writable',
    /cannot be set/,
  ],
  [
    'a coil that is a number',
    { ...good, signals: { a: { table: 'coil', address: 0 } } },
    'signals.a.type',
    /must be bit/,
  ],
  ['a bit without its number', { ...good, signals: { a: { type: 'bit', address: 0 } } }, 'signals.a.type', /which bit/],
  [
    'a register beyond the last',
    { ...good, signals: { a: { type: 'int32', address: 65535 } } },
    'signals.a.address',
    /second register/,
  ],
  ['scale 0', { ...good, signals: { a: { address: 1, scale: 0 } } }, 'signals.a.scale', /not be 0/],
] as const) {
  test(`refuses ${what}, with its place`, () => {
    assert.equal(createModbusDriver().check(good), [])
    const issues = createModbusDriver().check(config)
    assert.ok(
      issues.some((issue) => issue.path === place && message.test(issue.message)),
      JSON.stringify(issues),
    )
  })
}

test('a line is shared by units with the same settings; other settings, or one unit twice, are refused', async () => {
  const load = async (first: string, second: string) => {
    const signals = '{ a: { address: 0 } }'
    const text = `node: oven
hub: { url: in-process }
instruments:
  one: { driver: modbus, config: { transport: { kind: serial, path: /dev/ttyUSB0, ${first}, signals: ${signals} } }
  two: { driver: modbus, config: { transport: { kind: serial, path: /dev/ttyUSB0, ${second}, signals: ${signals} } }
`
    return await loadConfig({ text, folder: '.' }, [createModbusDriver()]).then(
      () => '',
      (error: unknown) => (error instanceof LabError ? JSON.stringify(error.issues) : String(error)),
    )
  }
  assert.is(await load('baudRate: 19200 }, unit: 1', 'baudRate: 19200 }, unit: 2'), '')
  assert.match(await load('baudRate: 19200 }, unit: 1', 'baudRate: 9600 }, unit: 2'), /ttyUSB0/)
  assert.match(await load('baudRate: 19200 }, unit: 1', 'baudRate: 19200 }, unit: 1'), /unit 1 on \/dev\/ttyUSB0/)
})

test.run()
