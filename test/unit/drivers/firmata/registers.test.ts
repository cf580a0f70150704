import { bytesOf, numberIn } from '@fernlab/edge/drivers/firmata/registers'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('registers of chips at a board that speaks Firmata')

const plain = { bytes: 'high-first', scale: 1, offset: 0 } as const

test('are numbers of their type, in the order of their bytes', () => {
  const cases = [
    ['uint8', [0xfe], 254, 254],
    ['int8', [0xfe], -2, -2],
    ['uint16', [0x80, 0x01], 0x8001, 0x0180],
    ['int16', [0xff, 0x7f], -129, 0x7fff],
    ['uint24', [0xff, 0x00, 0x01], 0xff0001, 0x0100ff],
    ['int24', [0x80, 0x00, 0x00], -(2 ** 23), 0x80],
    ['uint32', [0xff, 0xff, 0xff, 0xfe], 2 ** 32 - 2, 0xfeffffff],
    ['int32', [0xff, 0xff, 0xff, 0xfe], -2, 0xfeffffff - 2 ** 32],
  ] as const
  for (const [type, bytes, highFirst, lowFirst] of cases) {
    assert.is(bytesOf({ type }), bytes.length)
    assert.is(numberIn({ ...plain, type }, Uint8Array.from(bytes)), highFirst, type)
    assert.is(numberIn({ ...plain, type, bytes: 'low-first' }, Uint8Array.from(bytes)), lowFirst, type)
  }
})

test('have a mask before the scale, and no digits that come of rounding', () => {
  const type = 'uint16'
  assert.is(numberIn({ ...plain, type, mask: 0x0fff, scale: 0.1, offset: -40 }, Uint8Array.of(0xf2, 0x63)), 21.1)
  assert.is(numberIn({ ...plain, type: 'uint32', mask: 0xf0000000 }, Uint8Array.of(0x9f, 1, 1, 1)), 0x90000000)
})

test.run()
