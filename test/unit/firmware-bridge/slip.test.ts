import { SlipReader, slipFrame } from '@fernlab/firmware-bridge/flashing/esp/slip'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('SLIP')

test('a frame without an end is dropped, and the next one is read', () => {
  const reader = new SlipReader()
  const block = new Uint8Array(20_000).fill(0x41)
  assert.equal(reader.take(slipFrame(block)), [block])
  reader.take(Uint8Array.of(0xc0))
  const flood = new Uint8Array(100_000).fill(0x55)
  const found = [...reader.take(flood), ...reader.take(slipFrame(Uint8Array.of(1, 2)))]
  assert.equal(
    found.map(({ length }) => length),
    [2],
  )
})

test.run()
