import { parseSlave, refusePowerOnValue } from '@fernlab/edge/drivers/one-wire/ds18b20'
import { emulateDs18b20 } from '@fernlab/firmware-bridge/emulated/ds18b20'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { GOOD_SLAVE } from '../../support/w1-files.ts'

const test = suite('what a DS18B20 says')
const id = '28-0000075c5a3e'

const slave = (word: number, { configuration = 0x7f, byte6 = 0x10 - (word & 15) } = {}) => {
  const bytes = [word & 0xff, word >> 8, 0x4b, 0x46, configuration, 0xff, byte6, 0x10, 0x00]
  const text = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return `${text} : crc=00 YES\n${text} t=0\n`
}
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'nothing'
  } catch (thrown) {
    return (thrown as LabError).code
  }
}

test('the temperatures of table 1 of its datasheet', () => {
  const examples: [number, number][] = [
    [0x07d0, 125],
    [0x0550, 85],
    [0x0191, 25.0625],
    [0x00a2, 10.125],
    [0x0008, 0.5],
    [0x0000, 0],
    [0xfff8, -0.5],
    [0xff5e, -10.125],
    [0xfe6f, -25.0625],
    [0xfc90, -55],
  ]
  for (const [word, cel] of examples) assert.is(parseSlave(id, slave(word)).cel, cel)
  assert.equal(parseSlave(id, GOOD_SLAVE), { cel: 22.5625, bits: 12, isPowerOnValue: false })
})

test('bits that the resolution leaves out count for nothing', () => {
  for (const [configuration, bits, cel] of [
    [0x1f, 9, 25],
    [0x3f, 10, 25.25],
    [0x5f, 11, 25.375],
    [0x7f, 12, 25.4375],
  ] as const) {
    assert.equal(parseSlave(id, slave(0x0197, { configuration })), { cel, bits, isPowerOnValue: false })
  }
})

test('a wrong checksum, a line on ground, another chip and a half answer are no readings', () => {
  assert.is(
    codeOf(() => parseSlave(id, GOOD_SLAVE.replace('YES', 'NO'))),
    'one-wire-checksum-wrong',
  )
  const zeros = '00 00 00 00 00 00 00 00 00'
  assert.is(
    codeOf(() => parseSlave(id, `${zeros} : crc=00 YES\n${zeros} t=0\n`)),
    'one-wire-shorted',
  )
  assert.is(
    codeOf(() => parseSlave(id, slave(0x0191, { configuration: 0xff }))),
    'one-wire-garbled',
  )
  for (const text of ['', '69 01 4b', GOOD_SLAVE.slice(0, 30)]) {
    assert.is(
      codeOf(() => parseSlave(id, text)),
      'one-wire-garbled',
    )
  }
})

test('a true 85 °C is told from the value after power-on by byte 6, or by the reading before', () => {
  const measured = parseSlave(id, slave(0x0550))
  const powerOn = parseSlave(id, slave(0x0550, { byte6: 0x0c }))
  assert.equal([measured.isPowerOnValue, powerOn.isPowerOnValue], [false, true])
  const refusal = (last?: { cel: number; ms: number }, nowMs = 60_000) =>
    codeOf(() => refusePowerOnValue(id, powerOn, last, nowMs))
  refusePowerOnValue(id, measured, undefined, 0)
  assert.is(refusal(), 'one-wire-power-on-value')
  assert.is(refusal({ cel: 22, ms: 59_000 }), 'one-wire-power-on-value')
  assert.is(refusal({ cel: 84.5, ms: 40_000 }), 'one-wire-power-on-value')
  assert.is(refusal({ cel: 84.5, ms: 59_000 }), 'nothing')
  // 85.0625 is nobody's power-on value.
  assert.is(parseSlave(id, slave(0x0551, { byte6: 0x0c })).isPowerOnValue, false)
})

test('the emulated sensor says of itself what the parser reads, over its whole range', async () => {
  let cel = 0
  const sensor = emulateDs18b20({ name: 'any', clock: systemClock, temperatureCel: () => cel, instant: true })
  for (cel = -55; cel <= 125; cel += 0.5) {
    assert.equal(parseSlave(id, await sensor.slave()), { cel, bits: 12, isPowerOnValue: false })
  }
  sensor.setFault({ kind: 'power-lost' })
  assert.equal(parseSlave(id, await sensor.slave()), { cel: 85, bits: 12, isPowerOnValue: true })
})

test.run()
