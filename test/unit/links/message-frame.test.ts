import { maskedFrame, plainFrame, plainHeader } from '@fernlab/shared/links/websocket/message-frame'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('frames of WebSockets')

/** As RFC 6455, section 5.2, has it, byte by byte. */
function read(buffer: Buffer) {
  const frame = Uint8Array.from(buffer)
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const [first = 0, second = 0] = frame
  const short = second & 127
  let at = short < 126 ? 2 : short === 126 ? 4 : 10
  const length = short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2))
  const key = (second & 128) === 0 ? undefined : frame.slice(at, at + 4)
  if (key !== undefined) at += 4
  const payload = frame.slice(at).map((byte, n) => byte ^ (key?.[n % 4] ?? 0))
  return { isFinal: (first & 128) !== 0, opcode: first & 127, length, key, payload }
}

const lengths = [0, 1, 2, 3, 4, 5, 63, 64, 65, 66, 67, 125, 126, 127, 1000, 65_535, 65_536, 65_537, 200_001]
const bytesOf = (length: number) => new Uint8Array(length).map((_, n) => (n * 7 + 3) % 251)

test('bytes of any length go in one frame, masked or not', () => {
  for (const length of lengths) {
    const bytes = bytesOf(length)
    for (const frame of [maskedFrame(bytes), plainFrame(bytes)]) {
      const { isFinal, opcode, length: said, payload } = read(frame)
      assert.ok(isFinal)
      assert.is(opcode, 2)
      assert.is(said, length)
      assert.equal(payload, bytes)
    }
    assert.is(read(plainFrame(bytes)).key, undefined)
    assert.equal(bytes, bytesOf(length), 'what was sent stays as it is')
  }
})

test('a frame of two parts is one of both', () => {
  const head = Uint8Array.of(1, 2, 3, 4, 5)
  for (const length of lengths) {
    const body = bytesOf(length)
    const whole = Uint8Array.from([...head, ...body])
    assert.equal(read(maskedFrame(body, head)).payload, whole)
    const plain = read(Buffer.concat([plainHeader(head, body), body]))
    assert.is(plain.length, whole.length)
    assert.equal(plain.payload, whole)
  }
})

test('text goes as text, in UTF-8', () => {
  for (const text of ['', 'a', 'Ω'.repeat(40), '€'.repeat(30_000)]) {
    for (const frame of [maskedFrame(text), plainFrame(text)]) {
      const { opcode, payload } = read(frame)
      assert.is(opcode, 1)
      assert.is(new TextDecoder().decode(payload), text)
    }
  }
})

test('each frame of a client has a key of its own', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 5000; n++) seen.add(String(read(maskedFrame('x')).key))
  assert.ok(seen.size > 4990, `${seen.size} of 5000 were different`)
})

test.run()
