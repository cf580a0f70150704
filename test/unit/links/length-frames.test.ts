import { LengthFrames, lengthFrame } from '@fernlab/shared/links/unix-socket/length-frames'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('frames with a length')

test('frames come whole however their bytes are split and merged', () => {
  const frames = fc.array(fc.string({ maxLength: 50 }), { maxLength: 8 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (texts, sizes) => {
      const bytes = Buffer.concat(texts.map(lengthFrame))
      const reader = new LengthFrames(1000)
      const got: string[] = []
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] as number
        reader.take(bytes.subarray(at, at + size), (frame) => got.push(frame.toString()))
        at += size
      }
      assert.equal(got, texts)
    }),
  )
})

test('a length that nobody sends is refused before its bytes come', () => {
  const reader = new LengthFrames(100)
  assert.throws(() => reader.take(Buffer.from([0, 0, 0, 101]), () => {}), /101 bytes/)
})

test.run()
