import { cobsDecode, cobsEncode } from '@fernlab/firmware-bridge/link/cobs'
import { decodeFrame, encodeFrame, type Frame, FrameReader } from '@fernlab/firmware-bridge/link/frames'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('frames of the firmware link', { timeoutMs: 60_000 })
const bytes = (...all: number[]) => Uint8Array.from(all)
const upTo = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i)

const frames = fc.record({
  kind: fc.integer({ min: 0, max: 31 }),
  number: fc.integer({ min: 0, max: 255 }),
  acknowledged: fc.integer({ min: 0, max: 255 }),
  credit: fc.integer({ min: 0, max: 255 }),
  payload: fc.uint8Array({ maxLength: 230 }),
})
const plain = ({ kind, number, acknowledged, credit, payload }: Omit<Frame, 'version'>) => ({
  ...{ kind, number, acknowledged, credit },
  payload: Array.from(payload),
})

test('stuffs the known examples of COBS, and undoes them', () => {
  for (const [raw, stuffed] of [
    [bytes(), bytes(1)],
    [bytes(0), bytes(1, 1)],
    [bytes(0, 0), bytes(1, 1, 1)],
    [bytes(0x11, 0x22, 0, 0x33), bytes(3, 0x11, 0x22, 2, 0x33)],
    [bytes(0x11, 0, 0, 0), bytes(2, 0x11, 1, 1, 1)],
    [upTo(1, 254), bytes(255, ...upTo(1, 254), 1)],
    [bytes(0, ...upTo(1, 254)), bytes(1, 255, ...upTo(1, 254), 1)],
    [upTo(1, 255), bytes(255, ...upTo(1, 254), 2, 255)],
  ] as const) {
    assert.equal(Array.from(cobsEncode(raw)), Array.from(stuffed))
    assert.equal(Array.from(cobsDecode(stuffed) ?? []), Array.from(raw))
  }
})

test('stuffs anything without a zero, and back', () => {
  const anything = fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ max: 1, maxLength: 600 }))
  fc.assert(
    fc.property(anything, (raw) => {
      const stuffed = cobsEncode(raw)
      assert.not(stuffed.includes(0))
      assert.equal(Array.from(cobsDecode(stuffed) ?? []), Array.from(raw))
    }),
    { numRuns: cases(500) },
  )
})

test('takes nothing that no encoder makes', () => {
  for (const wrong of [bytes(), bytes(0), bytes(3, 1), bytes(2, 0), bytes(1, 5, 1)]) {
    assert.is(cobsDecode(wrong), undefined)
  }
})

test('checks with the CRC-32 of IEEE 802.3: the frame of a greeting is known', () => {
  const greeting = { kind: 1, number: 1, acknowledged: 0, credit: 0, payload: bytes(1, 2, 3, 4) }
  // crc32(21 01 00 00 01 02 03 04), little-endian, by an implementation that is not ours.
  assert.is(Buffer.from(encodeFrame(greeting)).toString('hex'), '00032101010901020304c492f16100')
})
test('finds frames in bytes that come split and merged', () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 6 }), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (all, cuts) => {
      const wire = Buffer.concat(all.map((frame) => encodeFrame(frame)))
      const reader = new FrameReader()
      const found: Frame[] = []
      for (let at = 0; at < wire.length; ) {
        const size = cuts.next().value ?? 1
        found.push(...reader.push(wire.subarray(at, at + size)))
        at += size
      }
      assert.equal(found.map(plain), all.map(plain))
      assert.is(reader.bad, 0)
    }),
    { numRuns: cases(200) },
  )
})

test('takes the frames after noise, and none that was cut off', () => {
  fc.assert(
    fc.property(frames, frames, fc.uint8Array({ maxLength: 700 }), fc.nat(), (first, second, noise, place) => {
      const whole = encodeFrame(first)
      const cut = whole.subarray(0, 1 + (place % (whole.length - 2)))
      const reader = new FrameReader()
      assert.equal(reader.push(cut), [])
      // Noise that is just what was missing would make it whole.
      fc.pre(Buffer.compare(noise.subarray(0, whole.length - cut.length), whole.subarray(cut.length)) !== 0)
      fc.pre(Buffer.compare(noise, whole.subarray(cut.length, -1)) !== 0)
      assert.equal(reader.push(noise), [])
      assert.equal(reader.push(encodeFrame(second)).map(plain), [plain(second)])
    }),
    { numRuns: cases(500) },
  )
})

test('takes no frame that was not sent, of broken and of random ones', () => {
  const state = { value: 1 }
  const below = (bound: number) => {
    state.value = (Math.imul(state.value, 1664525) + 1013904223) >>> 0
    return Math.floor((state.value / 2 ** 32) * bound)
  }
  for (let round = 0; round < cases(100_000); round++) {
    const random = Uint8Array.from({ length: 8 + below(60) }, () => 1 + below(255))
    assert.is(decodeFrame(random), undefined)
    const good = encodeFrame({ kind: below(32), number: below(256), acknowledged: 0, credit: 0, payload: random })
    const broken = good.subarray(1, -1).slice()
    for (let ways = 1 + below(4); ways > 0; ways--) {
      const at = below(broken.length)
      broken[at] = ((broken[at] ?? 0) + 1 + below(254)) % 256 || 1
    }
    if (Buffer.compare(broken, good.subarray(1, -1)) !== 0) assert.is(decodeFrame(broken), undefined)
  }
})

test.run()
