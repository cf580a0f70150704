import {
  encodeFloat,
  encodeSteps,
  MOST_STEPS,
  readStepper,
  stepperConfigure,
} from '@fernlab/firmware-bridge/firmata/accel-stepper'
import { MessageReader } from '@fernlab/firmware-bridge/firmata/message-reader'
import { analogWrite, i2cRead, i2cWrite, sysex, twoBytes } from '@fernlab/firmware-bridge/firmata/messages'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('messages of Firmata')

const text = (said: string) => [...said].flatMap((one) => twoBytes(one.charCodeAt(0)))
/** What an Uno says, and what that means. */
const SAID = [
  [Uint8Array.of(0xf9, 2, 6), { kind: 'version', major: 2, minor: 6 }],
  [
    sysex(0x79, 2, 3, ...text('StandardFirmata.ino')),
    { kind: 'firmware', major: 2, minor: 3, name: 'StandardFirmata' },
  ],
  [
    sysex(0x6c, 0x7f, 0, 1, 1, 1, 3, 8, 0x7f, 2, 10, 0x7f),
    {
      kind: 'capabilities',
      pins: [
        new Map(),
        new Map([
          [0, 1],
          [1, 1],
          [3, 8],
        ]),
        new Map([[2, 10]]),
      ],
    },
  ],
  [sysex(0x6a, 0x7f, 0, 1), { kind: 'analog-mapping', channels: [undefined, 0, 1] }],
  [sysex(0x6e, 9, 3, 0x7f, 1), { kind: 'pin-state', pin: 9, mode: 3, state: 255 }],
  [Uint8Array.of(0xe5, 0x7f, 0x07), { kind: 'analog', channel: 5, value: 1023 }],
  [Uint8Array.of(0x91, 0x21, 0x01), { kind: 'digital', port: 1, bits: 0xa1 }],
  [sysex(0x6f, 17, 0x01, 0x02), { kind: 'analog', channel: 17, value: 257 }],
  [sysex(0x71, ...text('Unknown pin mode')), { kind: 'text', text: 'Unknown pin mode' }],
  [
    sysex(0x77, ...twoBytes(0x48), ...twoBytes(0), ...twoBytes(0x17), ...twoBytes(0x80)),
    { kind: 'i2c-reply', address: 0x48, register: 0, bytes: Uint8Array.of(0x17, 0x80) },
  ],
  [sysex(0x62, 0x0a, 1, ...encodeSteps(-12345)), { kind: 'stepper-done', device: 1, steps: -12345 }],
] as const

const said = Buffer.concat(SAID.map(([bytes]) => bytes))
const meant = SAID.map(([, message]) => message)

test('are the same however their bytes are split and merged', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 60 }), (lengths) => {
      const reader = new MessageReader()
      const messages = []
      for (let at = 0, i = 0; at < said.length; i++) {
        const length = lengths[i % lengths.length] ?? 1
        messages.push(...reader.push(said.subarray(at, at + length)))
        at += length
      }
      assert.equal(messages, meant)
      assert.is(reader.garbled, 0)
    }),
  )
  assert.equal(new MessageReader().push(said), meant, 'all at once')
})

test('are found again after any noise, and the noise is counted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (noise) => {
      const reader = new MessageReader()
      reader.push(noise)
      // The first after noise may be taken for the rest of what the noise has begun.
      reader.push(Uint8Array.of(0xf9, 2, 6))
      assert.equal(reader.push(said), meant)
    }),
  )
  const reader = new MessageReader()
  assert.equal(reader.push(Uint8Array.of(0x12, 0xc3, 0x00, 0xf7)), [])
  assert.is(reader.garbled, 4)
})

test('that are cut off or no message of their kind are dropped', () => {
  for (const wrong of [
    sysex(),
    sysex(0x79, 2),
    sysex(0x6c, 0, 1, 1),
    sysex(0x6c, 0, 0x7f, 0x7f),
    sysex(0x6c),
    sysex(0x6e, 3, 1),
    sysex(0x77, 0x48, 0, 0),
    sysex(0x62, 0x06, 0, 1, 2),
    sysex(0x55, 1, 2, 3),
    Uint8Array.of(0xf0, 0x79, 2, 3, 0xf0),
    Uint8Array.of(0xe0, 0x10),
  ]) {
    const reader = new MessageReader()
    assert.equal(reader.push(wrong), [], Buffer.from(wrong).toString('hex'))
    assert.equal(reader.push(Uint8Array.of(0xe1, 1, 0)), [{ kind: 'analog', channel: 1, value: 1 }])
    assert.ok(reader.garbled > 0)
  }
})

test('without an end are given up before they fill the memory', () => {
  const reader = new MessageReader()
  const piece = new Uint8Array(1024).fill(0x01)
  reader.push(Uint8Array.of(0xf0))
  for (let i = 0; i < 64; i++) reader.push(piece)
  assert.ok(reader.garbled > 50_000, 'all beyond the longest is dropped, not kept')
  assert.equal(reader.push(Uint8Array.of(0xf9, 2, 5)), [{ kind: 'version', major: 2, minor: 5 }])
})

test('to the board are those of the protocol', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  assert.is(hex(stepperConfigure(1, { stepPin: 2, directionPin: 3 })), 'f06200011002' + '0300f7')
  const enabled = { stepPin: 2, directionPin: 3, enablePin: 4 }
  assert.is(hex(stepperConfigure(1, enabled)), 'f0620001110203' + '0400f7')
  assert.is(hex(stepperConfigure(1, { ...enabled, isEnabledLow: true })), 'f0620001110203' + '0410f7')
  assert.is(hex(analogWrite(9, 255)), 'e97f01')
  assert.is(hex(analogWrite(17, 300)), 'f06f112c02f7')
  assert.is(hex(analogWrite(3, 20_000)), 'f06f03201c01f7')
  assert.is(hex(i2cRead({ address: 0x48, register: 5, count: 2, restart: false })), 'f07648080500' + '0200f7')
  assert.is(
    hex(i2cWrite({ address: 0x48, register: 0x90, bytes: Uint8Array.of(0x1e, 0x80) })),
    'f0764800' + '10011e000001f7',
  )
  assert.is(hex(i2cRead({ address: 0x1a5, register: 0x90, count: 1, restart: true })), 'f076256b10010100f7')
})

/** As AccelStepperFirmata.cpp of ConfigurableFirmata reads steps that it is told. */
const stepsAtBoard = ([a = 0, b = 0, c = 0, d = 0, last = 0]: number[]) =>
  (a | (b << 7) | (c << 14) | (d << 21)) * (last >> 3 === 1 ? -1 : 1)

test('of motors carry steps either way as boards read and say them, and seven digits', () => {
  for (const steps of [0, 1, -1, -1600, MOST_STEPS, -MOST_STEPS, 123_456]) {
    assert.is(stepsAtBoard(encodeSteps(steps)) + 0, steps)
    const bytes = Uint8Array.of(6, 2, ...encodeSteps(steps))
    assert.equal(readStepper(bytes), { kind: 'stepper-position', device: 2, steps })
  }
  assert.equal(encodeSteps(-1600), [0x40, 0x0c, 0, 0, 0x08])
  const far = (last: number) => readStepper(Uint8Array.of(10, 2, 0x7f, 0x7f, 0x7f, 0x7f, last))
  assert.equal(far(0x07), { kind: 'stepper-done', device: 2, steps: 2 ** 31 - 1 })
  assert.equal(far(0x0f), { kind: 'stepper-done', device: 2, steps: -(2 ** 31 - 1) })
  const decoded = ([a = 0, b = 0, c = 0, d = 0]: number[]) =>
    (a | (b << 7) | (c << 14) | ((d & 3) << 21)) * 10 ** (((d >> 2) & 15) - 11)
  // The protocol's own example, whose last digit it cuts off: a step an hour.
  assert.equal(encodeFloat(1 / 3600), [0x32, 0x45, 0x29, 0x05])
  for (const rate of [1 / 3600, 0.5, 1, 100, 3200.25, 83_886]) {
    assert.ok(Math.abs(decoded(encodeFloat(rate)) / rate - 1) < 1e-6, `${rate}`)
  }
  assert.is(decoded(encodeFloat(0)), 0)
})

test.run()
