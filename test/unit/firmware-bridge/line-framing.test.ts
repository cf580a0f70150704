/** Lines and counted bytes, cut anywhere. */
import { LineFraming, type LineFramingOptions, type LineReply } from '@fernlab/firmware-bridge/lines/framing'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('line framing')
const latin1 = (text: string) => Buffer.from(text, 'latin1')
const framing = (options: Partial<LineFramingOptions> = {}) => new LineFraming({ end: '\n', ...options })
const lines = (replies: readonly LineReply[]) =>
  replies.map((reply) => (reply.kind === 'line' ? reply.text : reply.kind))

test('gives the same lines however the bytes are split or merged', () => {
  const line = fc.stringMatching(/^[\x20-\x7e\xb0]{1,40}$/)
  const end = fc.constantFrom('\n', '\r', '\x03')
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), end, fc.array(fc.nat({ max: 60 })), (texts, terminator, cuts) => {
      const bytes = latin1(texts.map((text) => `\r\n${text}${terminator}`).join(''))
      const cutter = framing({ end: terminator })
      const got: LineReply[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        got.push(...cutter.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      assert.equal(lines(got), texts)
      assert.ok(cutter.idle)
    }),
    { numRuns: cases(300) },
  )
})

test('gives so many bytes, line feeds among them, and lines again after them', () => {
  const cutter = framing()
  cutter.expect({ bytes: 4 })
  const replies = [...cutter.push(Uint8Array.of(0x0a, 0x0d)), ...cutter.push(latin1('\n\xffab\n'))]
  assert.equal(replies, [
    { kind: 'bytes', bytes: Buffer.from([0x0a, 0x0d, 0x0a, 0xff]) },
    { kind: 'line', text: 'ab' },
  ])
})

test('leaves out what is ignored, and the echo of a message but not an answer that looks like it', () => {
  const cutter = framing({ ignores: (line) => line.startsWith('#') })
  cutter.expect({ echo: 'T?' })
  assert.equal(lines(cutter.push(latin1('# noise\nT?\nT?\n# more\n25\n'))), ['T?', '25'])
  cutter.expect({ echo: 'T?' })
  assert.equal(lines(cutter.push(latin1('26\n'))), ['26'])
  cutter.expect({ echo: 'B', bytes: 2 })
  assert.equal(cutter.push(latin1('B\n\x01\x02')).at(0), { kind: 'bytes', bytes: Buffer.from([1, 2]) })
})

test('a line without end costs itself, once, and no memory', () => {
  const cutter = framing()
  const replies: LineReply[] = []
  for (let i = 0; i < 50; i++) replies.push(...cutter.push(latin1('x'.repeat(1000))))
  assert.equal(lines(replies), ['malformed'])
  assert.not.ok(cutter.idle)
  assert.equal(lines(cutter.push(latin1('end\ngood\n'))), ['good'])
  assert.ok(cutter.idle)
})

test.run()
