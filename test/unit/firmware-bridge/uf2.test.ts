/** UF2 files: which are taken for a board, and what is said of those that are not. */
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { firmwareBytes, uf2Of } from '../../support/boards/uf2-file.ts'
import { suite } from '../../support/suite.ts'

const test = suite('UF2 files')
const RP2040 = 0xe48bff56
const pico = boardKind('pico')
const good = uf2Of(firmwareBytes(2560), RP2040)
/** The file with 32-bit words of a block replaced, by their number in it. */
const changed = (block: number, words: Readonly<Record<number, number>>) => {
  const file = Uint8Array.from(good)
  const view = new DataView(file.buffer)
  for (const [word, value] of Object.entries(words)) view.setUint32(block * 512 + 4 * Number(word), value, true)
  return file
}
const without = (block: number) => Buffer.concat([good.subarray(0, block * 512), good.subarray(block * 512 + 512)])

for (const [what, file, message] of [
  ['stops within a block', good.subarray(0, good.length - 100), /ends within its block 9; it is truncated/],
  ['stops between blocks', good.subarray(0, good.length - 1024), /has 8 of its 10 blocks; it is truncated/],
  ['lacks a block', without(4), /where block 4 of 10 belongs is block 5 of 10; blocks are missing/],
  ['has a wrong magic number at a block’s start', changed(3, { 0: 1 }), /block 3 has not the magic numbers/],
  ['has a wrong magic number in a block', changed(3, { 1: 1 }), /block 3 has not the magic numbers/],
  ['has a wrong magic number at a block’s end', changed(3, { 127: 1 }), /block 3 has not the magic numbers/],
  ['is an Intel HEX file', Buffer.from(`:00000001FF\n${' '.repeat(600)}`), /block 0 has not the magic numbers/],
  [
    'is for an RP2350',
    uf2Of(firmwareBytes(512), 0xe48bff59),
    /0xe48bff59 \(RP2350, Arm\).*takes 0xe48bff56 \(RP2040\)/,
  ],
  ['is for an nRF52840', uf2Of(firmwareBytes(512), 0xada52840), /\(nRF52840\)/],
  ['changes its family', changed(5, { 7: 0xe48bff59 }), /block 5 is of another family than those before it/],
  ['has no family', changed(0, { 2: 0 }), /block 0 does not say for which chip it is/],
  ['has another count in a block', changed(6, { 6: 11 }), /where block 6 of 10 belongs is block 6 of 11/],
  ['is for RAM', uf2Of(firmwareBytes(512), RP2040, 0x20000000), /is for RAM \(0x20000000\)/],
  ['lies before flash', uf2Of(firmwareBytes(512), RP2040, 0x0ffff000), /block 0 is at 0x0ffff000, and flash is from/],
  ['is larger than flash', uf2Of(firmwareBytes(512), RP2040, 0x10ffff00), /block 1 is at 0x11000000/],
  ['has a page twice', changed(5, { 3: 0x10000000 }), /block 5 has 0x10000000 a second time/],
  ['has an odd address', changed(5, { 3: 0x10000501 }), /block 5 is no page of 256 bytes/],
  ['has less in a block than a page', changed(5, { 4: 100 }), /block 5 is no page of 256 bytes/],
  ['has more in a block than fits', changed(5, { 4: 500 }), /block 5 says that it has 500 bytes; it is damaged/],
  ['is empty', new Uint8Array(0), /has no blocks/],
] as const) {
  test(`refuses a file that ${what}`, () => {
    assert.throws(
      () => readFirmware(file, pico, 'x.uf2'),
      (error: Error & { code: string }) => {
        assert.is(error.code, 'firmware-file-wrong')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('a file is taken whole or refused, whichever of its bits is wrong outside of what it carries', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.constantFrom(0, 1, 3, 4, 5, 6, 7, 127), fc.nat(31), (block, word, bit) => {
      const view = new DataView(good.buffer, good.byteOffset + block * 512 + 4 * word)
      const damaged = changed(block, { [word]: (view.getUint32(0, true) ^ (1 << bit)) >>> 0 })
      let image: ReturnType<typeof readFirmware> | undefined
      try {
        image = readFirmware(damaged, pico, 'x.uf2')
      } catch (error) {
        assert.is((error as { code?: string }).code, 'firmware-file-wrong')
      }
      // The address of the last page may be another one further on, or that of the first further off: a gap is no fault.
      if (image !== undefined) assert.is(word, 3)
    }),
  )
})

test.run()
