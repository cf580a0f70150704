import { LabError } from '@fernlab/shared/primitives/lab-error'
import { cborFormat, formatNamed } from '@fernlab/shared/rpc/cbor-format'
import { scanCbor } from '@fernlab/shared/rpc/cbor-scan'
import { type Format, jsonFormat, objectsFormat } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { kindOf } from '@fernlab/shared/rpc/messages'
import { Decoder, Encoder } from 'cbor-x'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the formats of messages', { timeoutMs: 60_000 })
const limits = { ...defaultLimits, messageBytes: 1_000_000, depth: 8, values: 1000 }
const formats: readonly Format[] = [jsonFormat, cborFormat, objectsFormat]

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'nothing was thrown'
  } catch (error) {
    return error instanceof LabError ? error.code : `not a LabError: ${String(error)}`
  }
}

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

test('any value of messages is read as it was written, in each format', () => {
  const value = fc.jsonValue({ maxDepth: 3 })
  fc.assert(
    fc.property(value, (params) => {
      const message = { id: 1, method: 'm', params }
      for (const format of formats) {
        // Through text: what JSON calls equal (-0 is 0 there) is equal here.
        if (JSON.stringify(params).includes('__proto__')) continue
        const { jsonrpc, ...read } = format.read(format.write(message, limits), limits) as Record<string, unknown>
        assert.ok(jsonrpc === undefined || jsonrpc === '2.0')
        assert.is(JSON.stringify(read), JSON.stringify(message), format.name)
      }
    }),
    { numRuns: 500 },
  )
})

test('typed arrays in CBOR are those of RFC 8746, and in JSON as stated', () => {
  const wave = new Float32Array([1.5])
  const bytes = cborFormat.write({ id: 1, result: wave }, limits) as Uint8Array
  assert.ok(Buffer.from(bytes).toString('hex').endsWith('d855440000c03f'))
  assert.is(
    jsonFormat.write({ id: 1, result: wave }, limits),
    '{"jsonrpc":"2.0","id":1,"result":{"$type":"float32","base64":"AADAPw=="}}',
  )
  for (const wrong of [
    '{"$type":"float64","base64":"AADAPw=="}',
    '{"$type":"float32","base64":"?"}',
    '{"$type":"constructor","base64":""}',
    '{"$type":"number","text":"1"}',
    '{"$type":"callback","id":1}',
    '{"$type":1}',
  ]) {
    assert.is(
      codeOf(() => jsonFormat.read(`{"id":1,"result":${wrong}}`, limits)),
      'rpc-unreadable',
      wrong,
    )
  }
})

test('CBOR that claims what it has not, or has what no message has, is refused before it is decoded', () => {
  const refused: Record<string, string> = {
    'an empty message': '',
    'a list of 4·10⁹ elements in 5 bytes': '9affffffff',
    'a map of 2^53 members': 'bb001fffffffffffff',
    'bytes that are not there': '5a7fffffff00',
    'text that is not there': '6161'.slice(0, 2),
    'a list of indefinite length': '9f01ff',
    'bytes of indefinite length': '5f4100ff',
    'a number as a name': 'a10102',
    'bytes as a name': 'a1410001',
    'a tag of records': 'd8698183010203',
    'a tag of dates': 'c101',
    'a typed array of half an element': 'd8564400000000',
    'a typed array of text': 'd8406161',
    'a typed array of a number': '82d856f9000040',
    'a member whose name is a number': 'a1f9000001',
    'a tag in a tag': 'd840d8404100',
    'a tag as a name': 'a1d840410001',
    'a tag without content': 'd840',
    'an integer beyond 2^53': '1b0020000000000000',
    'a negative one': '3b0020000000000000',
    'a break': 'ff',
    'a simple value': 'e0',
    'a simple value of a byte': 'f8ff',
    'a reserved length': '1c',
    'something behind the end': '0000',
    'lists in lists': `${'81'.repeat(9)}00`,
    'a million lists in lists': `${'81'.repeat(1_000_000)}00`,
    'more values than may be': '9903e9'.concat('00'.repeat(1001)),
  }
  for (const [what, bytes] of Object.entries(refused)) {
    assert.is(
      codeOf(() => scanCbor(hex(bytes), limits)),
      'rpc-unreadable',
      what,
    )
  }
  for (const good of ['a0', `${'81'.repeat(8)}00`, 'a1616101', 'a16161d8404100', '82d84041000a', 'f97e00', 'f7']) {
    assert.is(scanCbor(hex(good), limits), false, good)
  }
  assert.is(scanCbor(hex('a16124f6'), limits), true)
})

test('random bytes, and messages with some bytes changed, are read or refused, and nothing else', () => {
  const whole = new Encoder({ useRecords: false }).encode({
    id: 1,
    method: 'a',
    params: [{ $type: 'x' }, new Float64Array(2), 'é'],
  })
  const changed = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes
    })
  const text = jsonFormat.write({ id: 1, method: 'a', params: [{ a: Number.NaN }] }, limits) as string
  const changedText = fc
    .tuple(fc.nat(text.length), fc.nat(8), fc.string({ maxLength: 4 }))
    .map(([at, length, other]) => text.slice(0, at) + other + text.slice(at + length))
  const frames = fc.oneof(fc.uint8Array({ maxLength: 60 }), changed, fc.string(), changedText)
  fc.assert(
    fc.property(frames, (frame) => {
      for (const format of formats) {
        try {
          kindOf(format.read(frame, limits), limits)
        } catch (error) {
          assert.instance(error, LabError)
          assert.match((error as LabError).code, /^(rpc-unreadable|message-too-large)$/)
        }
      }
    }),
    { numRuns: 50_000 },
  )
})

test('typed arrays that are read have memory of their own, and none besides', () => {
  const kinds = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array]
  const arrays = [
    ...kinds.map((kind) => kind.of(1, 2, 3)),
    BigInt64Array.of(-1n, 2n),
    BigUint64Array.of(1n, 2n ** 63n),
    new Float64Array(20_000).fill(1.5),
    new Float64Array(0),
  ]
  for (const array of arrays) {
    const frame = Uint8Array.from(cborFormat.write({ id: 1, result: [1, array] }, limits) as Uint8Array)
    const { result } = cborFormat.read(frame, limits) as { result: [number, typeof array] }
    frame.fill(0)
    assert.equal(result[1], array)
    assert.is(result[1].buffer.byteLength, array.byteLength)
    // Other readers of the process, which copy nothing before.
    const others = Buffer.concat([Buffer.of(0), new Encoder({ useRecords: false }).encode([array])]).subarray(1)
    assert.equal(new Decoder({ copyBuffers: false, useRecords: false }).decode(others), [array])
  }
})

test('JSON is bounded in depth, and may not touch what all objects share', () => {
  for (const text of ['[', '{"a":', '{"$$type":']) {
    const nested = `{"id":1,"result":${text.repeat(90_000)}`
    assert.is(
      codeOf(() => jsonFormat.read(nested, limits)),
      'rpc-unreadable',
    )
  }
  const deep = `{"id":1,"result":${'['.repeat(9)}${']'.repeat(9)}}`
  assert.is(
    codeOf(() => jsonFormat.read(deep, limits)),
    'rpc-unreadable',
  )
  assert.is(
    codeOf(() => jsonFormat.read('{"id":1,"result":{"__proto__":{"x":1}}}', limits)),
    'rpc-unreadable',
  )
  assert.is(
    codeOf(() => jsonFormat.read(`"${'x'.repeat(1_000_001)}"`, limits)),
    'message-too-large',
  )
})

test('JSON is bounded in values before it is parsed, and counts as CBOR does', () => {
  const read = (result: string) => codeOf(() => jsonFormat.read(`{"id":1,"result":${result}}`, limits))
  const list = (item: string, n: number) => `[${new Array(n).fill(item).join(',')}]`
  for (const item of ['{}', '[ ]', '1', '"x"', '{"a":{}}', '{"$type":"a","b":1}']) {
    assert.is(read(list(item, 1001)), 'rpc-unreadable', item)
  }
  // Refused before the parser sees it: what follows is no JSON.
  assert.throws(() => jsonFormat.read(`${list('{}', 1002)} nonsense`, limits), /more than 1000 values/)
  assert.throws(() => jsonFormat.read(`{"a":${'['.repeat(9)}`, limits), /nested more than 8 deep/)
  const quoted = ['[{,'.repeat(1000), '\\"[,'.repeat(1000), '\\'.repeat(999), '"', '']
  for (const text of quoted)
    assert.equal(jsonFormat.read(jsonFormat.write({ text }, limits), limits), { jsonrpc: '2.0', text })
  // As much as may be written can be read: id, result and its elements are 1000.
  for (const item of [1, Number.NaN, new Uint8Array(2), {}, [], '\\']) {
    const message = { id: 1, result: new Array(998).fill(item) }
    for (const format of formats) {
      const { result } = format.read(format.write(message, limits), limits) as { result: unknown[] }
      assert.is(result.length, 998, format.name)
    }
  }
})

test('what can not be sent is refused with its path, in each format', () => {
  class Mine {}
  const own = JSON.parse('{"__proto__":1}') as object
  const wrongs = new Map<unknown, string>([
    [new Map(), 'value-unwritable'],
    [new Mine(), 'value-unwritable'],
    [1n, 'value-unwritable'],
    [Symbol('s'), 'value-unwritable'],
    [() => 1, 'value-unwritable'],
    [new DataView(new ArrayBuffer(1)), 'value-unwritable'],
    [Promise.resolve(), 'value-unwritable'],
    [own, 'value-unwritable'],
    ['x'.repeat(1_000_001), 'message-too-large'],
    [Array.from({ length: 1001 }, () => 0), 'message-too-large'],
    [new Uint8Array(1_000_001), 'message-too-large'],
  ])
  for (const format of formats) {
    for (const [wrong, code] of wrongs) {
      assert.is(
        codeOf(() => format.write({ id: 1, result: { a: [wrong] } }, limits)),
        code,
        `${format.name} ${String(typeof wrong)}`,
      )
    }
    assert.throws(
      () => format.write({ id: 1, result: { a: [0, 1n] } }, limits),
      /^LabError: result\.a\[1\] is a bigint|result\.a\[1\] is a bigint/,
    )
  }
  assert.is(
    codeOf(() => formatNamed('xml')),
    'format-unknown',
  )
})

test('what a class says of itself is sent, and a member without a value is not', () => {
  for (const format of formats) {
    const message = { id: 1, result: { when: new Date(0), none: undefined, list: [undefined] } }
    const { result } = format.read(format.write(message, limits), limits) as { result: unknown }
    assert.equal(result, { when: '1970-01-01T00:00:00.000Z', list: [null] }, format.name)
  }
})

test('a message is what its members say, and added ones pass', () => {
  const kinds: [unknown, string][] = [
    [{ jsonrpc: '2.0', id: 1, method: 'a', more: 1 }, 'request'],
    [{ id: 'x', method: 'a', credit: 0, timeoutMs: 5, lingerMs: 0 }, 'request'],
    [{ method: 'a' }, 'one-way'],
    [{ id: 1, result: null, more: 1 }, 'result'],
    [{ id: null, error: { code: -32700, message: 'm' } }, 'failure'],
  ]
  for (const [message, kind] of kinds) assert.is(kindOf(message, limits).kind, kind)
  const wrong: unknown[] = [
    null,
    [],
    1,
    {},
    { jsonrpc: '1.0', id: 1, method: 'a' },
    { id: 0, method: 'a' },
    { id: 1.5, method: 'a' },
    { id: {}, method: 'a' },
    { id: 'x'.repeat(65), method: 'a' },
    { id: 1, method: '' },
    { id: 1, method: 'x'.repeat(201) },
    { id: 1, method: 1 },
    { id: 1, method: 'a', credit: -1 },
    { id: 1, method: 'a', credit: 1025 },
    { id: 1, method: 'a', timeoutMs: Number.NaN },
    { id: 1, method: 'a', timeoutMs: '1' },
    { id: 1 },
    { id: null, result: 1 },
    { id: 1, error: { code: 1.5, message: 'm' } },
    { id: 1, error: 'm' },
  ]
  for (const message of wrong)
    assert.is(
      codeOf(() => kindOf(message, limits)),
      'rpc-unreadable',
      JSON.stringify(message),
    )
})

test.run()
