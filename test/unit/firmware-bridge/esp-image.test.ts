/** Firmware files for Espressif's chips: which are taken, where they go, and what is refused. */
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import * as assert from 'uvu/assert'
import { espApp, espFlash } from '../../support/boards/esp-firmware.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware for Espressif boards')
const [esp32, s3, c3] = [boardKind('esp32'), boardKind('esp32-s3'), boardKind('esp32-c3')]
const changed = (bytes: Uint8Array, at: number, ...to: readonly number[]) => {
  const copy = Uint8Array.from(bytes)
  copy.set(to, at)
  return copy
}

test('a whole flash goes to its start, without what is erased at its end; an application to its own place', () => {
  for (const [board, chipId] of [
    [esp32, 0],
    [s3, 9],
    [c3, 5],
  ] as const) {
    const whole = espFlash(chipId, '1.0.0')
    const padded = new Uint8Array(4 * 1024 * 1024).fill(0xff)
    padded.set(whole)
    const { parts, end } = readFirmware(padded, board, 'merged.bin')
    assert.is(end, Math.ceil(whole.length / 4096) * 4096)
    assert.equal(parts, [{ address: 0, data: padded.subarray(0, end) }])
    const app = espApp(chipId, '1.0.0')
    assert.equal(readFirmware(app, board, 'app.bin').parts, [{ address: 0x10000, data: app }])
  }
})

test('an Intel HEX file has its addresses itself', () => {
  const app = espApp(5, '1.0.0', 1000)
  const hex = writeIntelHex({ parts: [{ address: 0x10000, data: app }], bytes: app.length, end: 0x10000 + app.length })
  assert.equal(readFirmware(Buffer.from(hex), c3, 'app.hex').parts, [{ address: 0x10000, data: Uint8Array.from(app) }])
  const crooked = writeIntelHex({
    parts: [{ address: 0x10100, data: app }],
    bytes: app.length,
    end: 0x10100 + app.length,
  })
  assert.throws(() => readFirmware(Buffer.from(crooked), c3, 'app.hex'), /from 0x10100 on, .* sectors of 4096/)
})

const whole = espFlash(0, '1.0.0')
const app = espApp(0, '1.0.0')
for (const [what, bytes, message] of [
  ['is for another chip', espApp(9, '1.0.0'), /its application at 0x10000 is for the chip 9, .*ESP32, which is 0/],
  ['has the boot loader of another chip', espFlash(5, '1.0.0'), /its boot loader at 0x1000 does not begin with 0xe9/],
  [
    'ends within its application',
    whole.subarray(0, 0x10000 + 5000),
    /application at 0x10000 ends within its segment 1/,
  ],
  ['ends before its sum', whole.subarray(0, whole.length - 40), /ends (within|before) .*truncated/],
  ['ends within its hash', whole.subarray(0, whole.length - 10), /ends before its SHA-256; it is truncated/],
  ['ends after its boot loader', whole.subarray(0, 0x3000), /no partition table at 0x8000; it is truncated/],
  ['has a byte that is wrong', changed(whole, 0x10000 + 900, 1, 2, 3), /wrong checksum; it is damaged/],
  [
    'has two bytes that are wrong alike',
    changed(app, 900, (app[900] ?? 0) ^ 1, (app[901] ?? 0) ^ 1),
    /application at 0x10000 has a wrong SHA-256; it is damaged/,
  ],
  ['is larger than any flash', new Uint8Array(17 * 1024 * 1024).fill(1), /16777216 bytes of flash/],
  ['is empty', new Uint8Array(0), /has no bytes/],
  ['is erased flash', new Uint8Array(5000).fill(0xff), /has no bytes/],
  ['is text', Buffer.from('#include <Arduino.h>\n'), /nothing at 0x1000, .*nor at 0x10000/],
] as const) {
  test(`refuses a file that ${what}`, () => {
    assert.throws(
      () => readFirmware(bytes, esp32, 'x.bin'),
      (error: Error & { code: string }) => {
        assert.is(error.code, 'firmware-file-wrong')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test.run()
