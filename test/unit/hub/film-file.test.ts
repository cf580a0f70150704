import { byteRange } from '@fernlab/hub/api/byte-range'
import { filmTimes } from '@fernlab/hub/cameras/film-times'
import { clusterBytes, filmLayout } from '@fernlab/hub/cameras/matroska'
import { jpegSize } from '@fernlab/shared/contracts/jpeg-size'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a film as a file')

test('times in the file only grow, and are those of the pictures where no clock was set', () => {
  assert.equal(filmTimes([[10, 10.1], [11], [15.05, 15.1]]), [[0, 100], [1000], [5050, 5100]])
  assert.equal(filmTimes([[3600, 3600.1, 10, 10.1], [11]]), [[0, 100, 145, 245], [1145]])
  assert.equal(filmTimes([[10, 3700, 3700.1], [3701]]), [[0, 45, 145], [1045]])
  assert.equal(filmTimes([]), [])
  const pieces = fc.array(fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 8 }))
  fc.assert(
    fc.property(pieces, (seen) => {
      const shown = filmTimes(seen)
      const flat = shown.flat()
      for (const [i, time] of flat.entries()) assert.ok(i === 0 || time >= (flat[i - 1] ?? 0), String(flat))
      for (const piece of shown) assert.ok((piece.at(-1) ?? 0) - (piece[0] ?? 0) < 32_767)
    }),
  )
})

/** The elements of EBML in these bytes, with where their content is. */
function elements(bytes: Uint8Array, from: number, to: number) {
  const found: { id: string; at: number; from: number; to: number }[] = []
  for (let at = from; at < to; ) {
    const idLength = Math.clz32(bytes[at] ?? 0) - 23
    const id = [...bytes.subarray(at, at + idLength)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const sizeAt = at + idLength
    const sizeLength = Math.clz32(bytes[sizeAt] ?? 0) - 23
    let size = BigInt((bytes[sizeAt] ?? 0) & (0xff >> sizeLength))
    for (let i = 1; i < sizeLength; i++) size = size * 256n + BigInt(bytes[sizeAt + i] ?? 0)
    const content = sizeAt + sizeLength
    found.push({ id, at, from: content, to: content + Number(size) })
    at = content + Number(size)
  }
  return found
}

test('each byte is where the layout says, and the index leads to each piece', () => {
  const pictures = fc.array(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(pictures, (lengths) => {
      const shown = filmTimes(lengths.map((piece, i) => piece.map((_, at) => i + at / 10)))
      const facts = { title: 't', part: 'view', width: 4, height: 3, beganMs: 1e12, lengthMs: 1 }
      const clusters = lengths.map((piece, i) => ({
        jpegBytes: piece.reduce((sum, length) => sum + length, 0),
        shownMs: shown[i] ?? [],
      }))
      const layout = filmLayout(facts, clusters)
      const file = new Uint8Array(layout.bytes)
      file.set(layout.head)
      for (const [i, { at, bytes }] of layout.clusters.entries()) {
        const made = clusterBytes(
          shown[i] ?? [],
          (lengths[i] ?? []).map((length) => new Uint8Array(length)),
        )
        assert.is(made.length, bytes)
        file.set(made, at)
      }
      const [ebml, segment, ...others] = elements(file, 0, file.length)
      assert.equal([ebml?.id, segment?.id, segment?.to, others], ['1a45dfa3', '18538067', file.length, []])
      const inside = elements(file, segment?.from ?? 0, file.length)
      const places = inside.filter(({ id }) => id === '1f43b675').map(({ at }) => at)
      assert.equal(
        places,
        layout.clusters.map(({ at }) => at),
      )
      const cues = inside.find(({ id }) => id === '1c53bb6b')
      const led = elements(file, cues?.from ?? 0, cues?.to ?? 0).map((point) => {
        const positions = elements(file, point.from, point.to).find(({ id }) => id === 'b7')
        const position = elements(file, positions?.from ?? 0, positions?.to ?? 0).find(({ id }) => id === 'f1')
        return (segment?.from ?? 0) + Number(new DataView(file.buffer).getBigUint64(position?.from ?? 0))
      })
      assert.equal(led, places)
    }),
    { numRuns: 50 },
  )
})

test('a request for a part is read as the standard has it', () => {
  const file = { bytes: 100, tag: '"a"' }
  const read = (range?: string, ifRange?: string) => byteRange({ range, ifRange }, file)
  const part = (from: number, to: number) => ({ kind: 'part', from, to })
  for (const range of [undefined, 'bytes=', 'bytes=-', 'bytes=5-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=x-', '0-5']) {
    assert.equal(read(range), { kind: 'whole' }, String(range))
  }
  assert.equal(read('bytes=0-'), part(0, 100))
  assert.equal(read('bytes=10-19'), part(10, 20))
  assert.equal(read('bytes=90-1000'), part(90, 100))
  assert.equal(read('bytes=-10'), part(90, 100))
  assert.equal(read('bytes=-1000'), part(0, 100))
  for (const range of ['bytes=100-', 'bytes=-0', 'bytes=400-500']) assert.equal(read(range), { kind: 'none' }, range)
  assert.equal(read('bytes=10-', '"a"'), part(10, 100))
  assert.equal(read('bytes=10-', '"b"'), { kind: 'whole' })
})

test('the size of a picture is found, and of what is none is not', () => {
  const begins = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xc0]
  const header = [0xff, 0xff, 0xc2, 0, 11, 8, 0x01, 0xe0, 0x02, 0x80]
  const jpeg = Uint8Array.from([...begins, ...header])
  assert.equal(jpegSize(jpeg), { width: 640, height: 480 })
  assert.is(jpegSize(jpeg.subarray(0, -1)), undefined)
  assert.is(jpegSize(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)), undefined)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void jpegSize(bytes)))
})

test.run()
