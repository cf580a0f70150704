import { boardKind, boardKinds } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { checkImage } from '@fernlab/firmware-bridge/flashing/check-image'
import { type FirmwareImage, readIntelHex, writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { hello, helloVersion } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware for a board')

const uno = boardKind('uno')
const imageOf = (address: number, data: Uint8Array): FirmwareImage => ({
  parts: [{ address, data }],
  bytes: data.length,
  end: address + data.length,
})
/** A vector table of so many jumps, and a little more. */
const withVectors = (count: number) => {
  const data = new Uint8Array(count * 4 + 20).fill(0xff)
  for (let i = 0; i < count; i++) data.set([0x0c, 0x94, 0x40, 0x00], i * 4)
  return imageOf(0, data)
}

test('takes what fits, up to the boot loader', () => {
  checkImage(hello, uno, 'hello.hex')
  checkImage(helloVersion('1.1.1', 32_256), uno, 'full.hex')
  checkImage(withVectors(57), boardKind('mega2560'), 'mega.hex')
  checkImage(imageOf(0, Uint8Array.of(0x12, 0xc0)), uno, 'tiny.hex')
})

for (const [what, image, message] of [
  [
    'is larger than flash',
    helloVersion('1.1.1', 32_257),
    /big\.hex ends at 0x7e01 \(32257 bytes\), and the Arduino Uno has 32256/,
  ],
  ['reaches into the boot loader from far away', imageOf(0x7d00, new Uint8Array(0x200)), /ends at 0x7f00/],
  [
    'is for a chip with other addresses',
    imageOf(0x0800_0000, new Uint8Array(4)),
    /starts at 0x8000000, .*another chip/,
  ],
  ['has the vector table of another chip', withVectors(57), /has 57 interrupt vectors, and an ATmega328P has 26/],
] as const) {
  test(`refuses a file that ${what}`, () => {
    assert.throws(
      () => checkImage(image, uno, 'big.hex'),
      (error: Error & { code: string }) => {
        assert.is(error.code, 'firmware-file-wrong')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('names the boards when there is none of the name', () => {
  assert.throws(() => boardKind('unoo'), /did you mean "uno"/)
  assert.throws(() => boardKind('toaster'), new RegExp(boardKinds.map(({ name }) => name).join(', ')))
})

test('what is written as a hex file is read as it was, wherever it lies', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 70 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x2_0000 }), bytes, bytes, (address, first, second) => {
      const parts = [
        { address, data: first },
        { address: address + first.length + 5, data: second },
      ]
      const image = { parts, bytes: first.length + second.length, end: address + first.length + 5 + second.length }
      const read = readIntelHex(writeIntelHex(image), 'written.hex')
      assert.is(read.bytes, image.bytes)
      assert.is(read.end, image.end)
      assert.equal(
        read.parts.map((part) => [part.address, ...part.data]),
        parts.map((part) => [part.address, ...part.data]),
      )
    }),
  )
})

test.run()
