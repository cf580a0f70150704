import { readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('Intel HEX')

const END = ':00000001FF'
const read = (...lines: string[]) => readIntelHex(lines.join('\n'), 'blink.hex')

/** A record with its checksum. */
const record = (address: number, type: number, ...data: number[]) => {
  const bytes = [data.length, address >> 8, address & 0xff, type, ...data]
  const sum = -bytes.reduce((total, byte) => total + byte, 0) & 0xff
  return `:${[...bytes, sum].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

test('reads the example of the specification, in any case and with either line end', () => {
  const text = ':10010000214601360121470136007EFE09D2190140\r\n:100110002146017E17C20001FF5F16002148011928\r\n'
  for (const each of [text, text.toLowerCase()]) {
    const image = readIntelHex(`${each}${END}\r\n`, 'blink.hex')
    assert.is(image.bytes, 32)
    assert.is(image.end, 0x120)
    assert.equal(
      image.parts.map(({ address, data }) => [address, data.length, data[0]]),
      [[0x100, 32, 0x21]],
    )
  }
})

test('puts records in the order of their addresses, keeps gaps, and adds segment and linear bases', () => {
  const image = read(
    record(0x20, 0, 3),
    record(0, 0, 1, 2),
    record(0, 2, 0x10, 0),
    record(2, 0, 9),
    record(0, 4, 0, 1),
    record(5, 0, 7),
    END,
  )
  assert.equal(
    image.parts.map(({ address, data }) => [address, ...data]),
    [
      [0, 1, 2],
      [0x20, 3],
      [0x10002, 9],
      [0x10005, 7],
    ],
  )
})

test('start addresses are taken and mean nothing', () => {
  assert.is(read(record(0, 3, 0, 0, 0, 0), record(0, 5, 0, 0, 0, 0), record(0, 0, 1), END).bytes, 1)
})

const bad: readonly [string, string[], RegExp][] = [
  ['a file without its end', [record(0, 0, 1)], /blink\.hex:1: .*end record; it is truncated/],
  ['a record that stops', [record(0, 0, 1, 2, 3).slice(0, -3), END], /blink\.hex:1: .*shorter than it says/],
  ['a record of one digit', [':1', END], /blink\.hex:1: .*shorter/],
  ['a record that goes on', [`${record(0, 0, 1)}00`, END], /blink\.hex:1: .*longer than it says/],
  [
    'a wrong checksum',
    [record(0, 0, 1), ':0100010002FF', END],
    /blink\.hex:2: the checksum is 0xff and should be 0xfc/,
  ],
  ['bytes given twice', [record(0, 0, 1, 2), record(1, 0, 2), END], /blink\.hex:2: address 0x0001 .*overlap/],
  ['something else', ['MZ', END], /blink\.hex:1: .*not an Intel HEX file/],
  ['digits that are none', [':0000000Z', END], /blink\.hex:1: .*hexadecimal/],
  ['an unknown type', [record(0, 9), END], /no record type 0x09/],
  ['a short address record', [record(0, 4, 1), END], /two bytes/],
  ['more after the end', [record(0, 0, 1), END, record(1, 0, 1)], /blink\.hex:3: .*after the end/],
  ['no bytes', [END], /blink\.hex has no bytes/],
  ['nothing', [''], /truncated/],
]
for (const [what, lines, message] of bad) {
  test(`refuses ${what}, and says where`, () => {
    assert.throws(
      () => read(...lines),
      (error: Error & { code: string }) => {
        assert.is(error.code, 'firmware-file-wrong')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test.run()
