import { createFirmataDriver } from '@fernlab/edge/drivers/firmata/firmata'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { onFirmataBoard, scriptedBoard } from '../../../support/firmata/emulated-board.ts'
import { randomNumbers } from '../../../support/firmware/noisy.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('the driver firmata with what should not be')

const pins = {
  lamp: { direction: 'out', pin: 13 },
  out: { direction: 'out', pin: 8 },
  loop: { direction: 'in', pin: 7 },
  fan: { direction: 'pwm', pin: 9 },
  filtered: { direction: 'analog', pin: 'A0' },
}
const transport = { kind: 'serial', path: '/dev/ttyACM0' }
const issues = (config: object) =>
  createFirmataDriver()
    .check({ transport, ...config })
    .map(({ path, message }) => `${path}: ${message}`)

test('a config that cannot be is refused with its places', () => {
  const { lamp } = pins
  const stage = { direction: 'stepper', stepPin: 2, directionPin: 3, speed: 10 }
  const air = { address: 0x48, register: 0, type: 'int16' }
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /^pins: must name at least one pin/],
    [{ pins: { lamp, led: { direction: 'out', pin: 'D13' } } }, /^pins.led.pin: pin 13 is pins.lamp already/],
    [{ pins: { stage, key: { direction: 'in', pin: 3 } } }, /^pins.key.pin: pin 3 is pins.stage already/],
    [{ pins: { lamp: { direction: 'out', pin: 'B3' } } }, /^pins.lamp.pin: must be a number, or D9, or A0/],
    [{ pins: { fan: { direction: 'pwm', pin: 9, limits: { low: 10 } } } }, /^pins.fan.safe: is outside limits/],
    [{ pins: { flap: { direction: 'servo', pin: 9, limits: { high: 45 } } } }, /^pins.flap.initial: is outside/],
    [
      { pins: { flap: { direction: 'servo', pin: 9, minPulseUs: 2000, maxPulseUs: 1000 } } },
      /must be below maxPulseUs/,
    ],
    [{ pins: { level: { direction: 'analog', pin: 'A0', full: 0 } } }, /^pins.level.full: must not be as zero/],
    [{ pins: { stage, stage_moving: lamp } }, /^pins.stage_moving: is a signal of a motor already/],
    [{ pins: { stage, stage_speed: lamp } }, /^pins.stage_speed: is a signal of a motor already/],
    [{ pins: { lamp }, i2c: { registers: { lamp: air } } }, /^i2c.registers.lamp: the signal lamp is one of pins/],
    [{ pins: { stage: { ...stage, stepsPerUnit: 9000 } } }, /^pins.stage.speed: is more than 83886 steps/],
    [{ pins: { lamp }, samplingMs: 2 }, /^samplingMs:/],
    [{ i2c: { registers: { air: { ...air, address: 0x80 } } } }, /^i2c.registers.air.address:/],
  ]
  for (const [config, wanted] of cases) assert.match(issues(config).join('\n'), wanted, JSON.stringify(config))
  assert.equal(issues({ pins: { ...pins, stage }, i2c: { registers: { air } } }), [])
})

test('its port is its own', () => {
  assert.equal(createFirmataDriver().claims?.({ transport, pins }), [
    { key: 'serial:/dev/ttyACM0', what: 'the port /dev/ttyACM0', path: ['transport', 'path'] },
  ])
})

test('a board that never answers is told of, with what to look at', () =>
  onFirmataBoard({ config: { pins }, device: scriptedBoard(() => {}), isOpened: false }, async (up) => {
    const refused = await rejection(up.instrument.open(up.signal))
    assert.is(refused.code, 'board-silent')
    assert.match(refused.message, /StandardFirmata.*57600/)
    assert.ok(up.sent.filter((bytes) => bytes === 'f9').length >= 5, 'it was asked again and again')
  }))

test('a board that speaks version 1 is refused once it has said so twice', () => {
  let asked = 0
  const device = scriptedBoard((_, say) => {
    asked += 1
    say(Uint8Array.of(0xf9, 1, 0))
  })
  return onFirmataBoard({ config: { pins }, device, isOpened: false }, async ({ instrument, signal }) => {
    const refused = await rejection(instrument.open(signal))
    assert.is(refused.code, 'firmata-version')
    assert.match(refused.message, /speaks Firmata 1\.0.*flash a current StandardFirmata/)
    assert.is(asked, 2)
  })
})

/** Each piece that comes is changed into several. */
const changed =
  (change: (bytes: Uint8Array) => Uint8Array[]) =>
  (given: Transport): Transport => ({
    ...given,
    onData: (listener) =>
      given.onData((bytes) => {
        for (const piece of change(bytes)) listener(piece)
      }),
  })

for (const [what, wire] of [
  ['bytes one by one', changed((bytes) => [...bytes].map((byte) => Uint8Array.of(byte)))],
  [
    'noise between messages',
    changed(
      ((random) => (bytes: Uint8Array) => [
        Uint8Array.from({ length: 9 }, () => 0x80 + Math.floor(128 * random())),
        Uint8Array.of(0xf7),
        bytes,
      ])(randomNumbers(7)),
    ),
  ],
  [
    'a flood of analog reports',
    changed((bytes) => [...Array.from({ length: 500 }, () => Uint8Array.of(0xe3, 1, 1)), bytes]),
  ],
] as const) {
  test(`${what}: all is read and set as without`, () =>
    onFirmataBoard({ config: { pins }, wire }, async ({ instrument, signal }) => {
      for (const level of [true, false, true]) {
        await instrument.set('out', level, signal)
        await instrument.set('fan', level ? 60 : 0, signal)
        const readings = await instrument.read(Object.keys(pins), signal)
        assert.is(readings.out?.value, level)
        assert.is(readings.loop?.value, level, 'the wire from 8 to 7')
        assert.is(readings.filtered?.value, level ? (5 * 614) / 1024 : 0)
      }
    }))
}

for (const kind of ['silent', 'garbage', 'truncated'] as const) {
  test(`a board that becomes ${kind} is offline with the reason, and comes back by itself`, () =>
    onFirmataBoard({ config: { pins } }, async ({ instrument, device, signal, until }) => {
      const lost = until(false)
      device.setFault({ kind })
      const refused = await rejection(instrument.read(['lamp'], signal))
      assert.is(refused.kind, 'link')
      assert.match(await lost, /did not answer within 3 s: read lamp/)
      assert.is((await rejection(instrument.set('lamp', true, signal))).kind, 'link')
      const back = until(true)
      device.setFault(undefined)
      await back
      await instrument.set('lamp', true, signal)
      assert.is((await instrument.read(['lamp'], signal)).lamp?.value, true)
    }))
}

test('a board that stops reporting is offline, whatever else it answers', () => {
  let isMute = false
  const wire = changed((bytes) => (isMute && ((bytes[0] ?? 0) & 0xf0) === 0xe0 ? [] : [bytes]))
  return onFirmataBoard({ config: { pins }, wire }, async ({ instrument, signal, until }) => {
    const lost = until(false)
    isMute = true
    await instrument.read(['lamp'], signal)
    assert.match((await rejection(instrument.read(['filtered'], signal))).message, /has reported no filtered for 3/)
    await lost
  })
})

test('a voltage beyond what the board says that it can measure is an error, not a value', () => {
  let isMore = false
  const wire = changed((bytes) => [isMore && ((bytes[0] ?? 0) & 0xf0) === 0xe0 ? Uint8Array.of(0xe0, 0, 8) : bytes])
  return onFirmataBoard({ config: { pins }, wire }, async ({ instrument, signal }) => {
    isMore = true
    const wrong = await rejection(instrument.read(['filtered'], signal))
    assert.is(wrong.code, 'reply-garbled')
    assert.match(wrong.message, /reports 1024 for filtered, of which it says that it has 10 bits/)
    isMore = false
    assert.is((await instrument.read(['filtered'], signal)).filtered?.value, 0)
  })
})

test('a slow line: what is read was measured after it was asked for, not what was still on its way', () => {
  const lateMs = 70
  const wire = (given: Transport): Transport => {
    // The board's voltage is the time, in milliseconds, at which it measures.
    const stamped = (bytes: Uint8Array) => {
      if (((bytes[0] ?? 0) & 0xf0) !== 0xe0) return bytes
      const ms = clock.monotonic() % 1024
      return Uint8Array.of(bytes[0] ?? 0, ms & 0x7f, ms >> 7)
    }
    return {
      ...given,
      onData: (listener) =>
        given.onData((bytes) => {
          const late = stamped(bytes)
          clock.after(lateMs, () => listener(late))
        }),
    }
  }
  const clock = new ManualClock()
  const config = { pins: { time: { direction: 'analog', pin: 'A0', unit: 'ms', full: 1024 } } }
  return onFirmataBoard({ config, wire, clock }, async ({ instrument, signal }) => {
    for (let i = 0; i < 20; i++) {
      const askedMs = clock.monotonic() % 1024
      const measuredMs = Number((await instrument.read(['time'], signal)).time?.value)
      if (measuredMs > 900 || askedMs > 900) continue
      assert.ok(measuredMs >= askedMs, `asked at ${askedMs} ms, measured at ${measuredMs} ms`)
      assert.ok(measuredMs <= askedMs + lateMs + 50, `asked at ${askedMs} ms, measured at ${measuredMs} ms`)
    }
  })
})

test('a value that the board does not keep is an error, not a success', () => {
  // 13 of the pin states says otherwise.
  const wire = changed((bytes) => [
    bytes[1] === 0x6e && bytes[2] === 13 ? Uint8Array.of(0xf0, 0x6e, 13, 1, 0, 0, 0xf7) : bytes,
  ])
  return onFirmataBoard({ config: { pins }, wire }, async ({ instrument, signal }) => {
    const refused = await rejection(instrument.set('lamp', true, signal))
    assert.is(refused.code, 'instrument-refused')
    await instrument.set('out', true, signal)
  })
})

test('a pin that is not what it was made takes the board offline: it has started anew unheard', () => {
  let isChanged = false
  const wire = changed((bytes) => [
    isChanged && bytes[1] === 0x6e && bytes[2] === 7 ? Uint8Array.of(0xf0, 0x6e, 7, 1, 0, 0, 0xf7) : bytes,
  ])
  return onFirmataBoard({ config: { pins }, wire }, async ({ instrument, signal, until }) => {
    const lost = until(false)
    isChanged = true
    assert.is((await rejection(instrument.read(['loop'], signal))).code, 'board-reset')
    await lost
    const back = until(true)
    isChanged = false
    await back
    await instrument.read(['loop'], signal)
  })
})

test('a board that starts anew again and again is taken for away, and that is said', () => {
  let tell: (bytes: Uint8Array) => void = () => {}
  const wire = (given: Transport): Transport => ({
    ...given,
    onData: (listener) => {
      tell = listener
      given.onData(listener)
    },
  })
  const introduces = Uint8Array.from([0xf9, 2, 6, 0xf0, 0x79, 2, 6, 0x41, 0, 0xf7])
  return onFirmataBoard({ config: { pins }, wire }, async ({ until }) => {
    const reasons: string[] = []
    for (let i = 0; i < 3; i++) {
      const [lost, back] = [until(false), until(true)]
      tell(introduces)
      reasons.push(await lost)
      await back
    }
    assert.match(reasons[0] ?? '', /has started anew by itself/)
    assert.match(reasons[2] ?? '', /again and again: 3 times within \d+ s; look at its supply/)
  })
})

test('a set that was given up before it was sent is never sent', () => {
  const clock = new ManualClock()
  const wire = (given: Transport): Transport => ({
    ...given,
    onData: (listener) => given.onData((bytes) => clock.after(20, () => listener(bytes))),
  })
  return onFirmataBoard({ config: { pins }, wire, clock }, async ({ instrument, signal, sent }) => {
    const stop = new AbortController()
    const readings = Array.from({ length: 12 }, () => instrument.read(['lamp', 'out'], signal))
    const given = rejection(instrument.set('fan', 60, stop.signal))
    // Four of the 24 questions are on the line, and the set waits behind the others.
    await clock.sleep(5)
    stop.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
    assert.is((await given).code, 'stopped')
    await Promise.all(readings)
    assert.is((await instrument.read(['fan'], signal)).fan?.value, 0)
    assert.not.ok(sent.some((bytes) => bytes.startsWith('e91901')))
    await instrument.set('fan', 60, signal)
    assert.ok(
      sent.some((bytes) => bytes.startsWith('e91901')),
      'what it looks like',
    )
  })
})

test('what keeps people safe goes before all that waits', () => {
  const clock = new ManualClock()
  const wire = (given: Transport): Transport => ({
    ...given,
    onData: (listener) => given.onData((bytes) => clock.after(20, () => listener(bytes))),
  })
  return onFirmataBoard({ config: { pins }, wire, clock }, async ({ instrument, signal }) => {
    const startMs = clock.monotonic()
    const readings = Array.from({ length: 40 }, () => instrument.read(['lamp'], signal))
    await clock.sleep(5)
    await instrument.setTogether?.(
      new Map<string, boolean | number>([
        ['out', true],
        ['fan', 20],
      ]),
      signal,
    )
    const tookMs = clock.monotonic() - startMs
    assert.ok(tookMs < 60, `${tookMs} ms: those that were on the line, and then these`)
    await Promise.all(readings)
    assert.ok(clock.monotonic() - startMs > 180, 'the readings took that long')
  })
})

test('a board that hears and says nothing is told all of a safe state, in order, though it owes answers', () =>
  onFirmataBoard({ config: { pins } }, async ({ instrument, device, signal, sent, clock }) => {
    device.setFault({ kind: 'silent' })
    const reading = rejection(instrument.read(['lamp', 'out', 'fan', 'loop'], signal))
    await clock.sleep(5)
    const before = sent.length
    const safe = new Map<string, boolean | number>([
      ['fan', 20],
      ['out', true],
      ['lamp', true],
    ])
    const setting = rejection(instrument.setTogether?.(safe, signal) ?? Promise.resolve())
    await clock.sleep(5)
    assert.equal(
      sent.slice(before).map((bytes) => bytes.slice(0, 6)),
      ['e93300', '910100', '912100'],
    )
    assert.is((await setting).kind, 'link')
    await reading
  }))

test('values of a wrong type or outside are refused and not sent', () =>
  onFirmataBoard({ config: { pins } }, async ({ instrument, signal, sent }) => {
    const before = sent.length
    for (const [name, value] of [
      ['lamp', 1],
      ['fan', true],
      ['fan', Number.NaN],
      ['fan', 100.5],
      ['fan', 'full'],
      ['filtered', 1],
    ] as const) {
      assert.is((await rejection(instrument.set(name, value, signal))).kind, 'caller', `${name} ${value}`)
    }
    assert.is(sent.length, before)
  }))

test.run()
