import { decode, encode } from '@fernlab/shared/links/codec'
import { connectedPair } from '@fernlab/shared/links/in-process'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('CBOR and in-process connections')

test('columns keep every bit of their numbers', () => {
  fc.assert(
    fc.property(fc.float64Array(), (column) => {
      const back = decode(encode({ column })) as { column: Float64Array }
      assert.ok(back.column instanceof Float64Array)
      assert.equal([...new BigUint64Array(back.column.slice().buffer)], [...new BigUint64Array(column.slice().buffer)])
    }),
  )
})

test('plain values come back as they were', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      if (JSON.stringify(value).includes('-0')) return
      assert.equal(decode(encode(value)), value)
    }),
  )
})

test('maps are plain maps, not an extension of one library', () => {
  const [head = 0] = encode({ a: 1 })
  assert.is(head >> 5, 5, 'RFC 8949, 3.1: major type 5 is a map; an extension would begin with a tag, type 6')
})

test('times and sequence numbers above 32 bits are numbers', () => {
  assert.is(decode(encode(1_795_000_000_000)), 1_795_000_000_000)
})

test('a prototype can not be reached through a key', () => {
  const hostile = new Uint8Array([0xa1, 0x69, ...Buffer.from('__proto__'), 0xa1, 0x61, 0x78, 0x01])
  const value = decode(hostile) as Record<string, unknown>
  assert.is(({} as Record<string, unknown>).x, undefined)
  assert.is(value.x, undefined)
})

test('bytes that are no CBOR are refused with a code, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decode(bytes)
      } catch (error) {
        assert.is((error as { code: string }).code, 'message-unreadable')
      }
    }),
    { numRuns: cases(2000) },
  )
  assert.throws(
    () => decode(new Uint8Array([0x9f])),
    (error: { code: string }) => error.code === 'message-unreadable',
  )
})

test('a connected pair carries bytes both ways in order and closes both ends', async () => {
  const [a, b] = connectedPair()
  const atA: Buffer[] = []
  const atB: Buffer[] = []
  a.on('data', (chunk) => atA.push(chunk))
  b.on('data', (chunk) => atB.push(chunk))
  const expected: number[] = []
  for (let i = 0; i < 1000; i++) {
    a.write(Buffer.from([i & 255]))
    expected.push(i & 255)
  }
  b.write('back')
  a.end()
  await new Promise((resolve) => b.once('end', resolve))
  assert.equal([...Buffer.concat(atB)], expected)
  assert.is(Buffer.concat(atA).toString(), 'back')
  const closed = new Promise((resolve) => a.once('close', resolve))
  b.destroy()
  await closed
})

test('a reader that stops reading stops the writer', async () => {
  const [a, b] = connectedPair()
  const piece = Buffer.alloc(256 * 1024)
  let written = 0
  while (a.write(piece)) {
    written += piece.length
    assert.ok(written < 100 * 1024 * 1024, 'the writer is never told to wait')
    await new Promise((resolve) => setImmediate(resolve))
  }
  let read = 0
  b.on('data', (chunk: Buffer) => {
    read += chunk.length
  })
  await new Promise((resolve) => a.once('drain', resolve))
  assert.ok(read > 0)
  a.destroy()
})

test.run()
