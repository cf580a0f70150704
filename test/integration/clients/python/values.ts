/** Values that both languages must mean the same by. */

/** Sent to Python by name, where they are compared with Python's own. */
export const values: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  integer: 42,
  negative: -7,
  largest: Number.MAX_SAFE_INTEGER,
  beyond: 2 ** 60,
  fraction: -1.5,
  smallest: 5e-324,
  minusZero: -0,
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  minusInfinity: Number.NEGATIVE_INFINITY,
  text: 'ñ 𝄞 \u0000 "\\',
  bytes: new Uint8Array([0, 255]),
  int8: new Int8Array([-1, 1]),
  uint16: new Uint16Array([0, 65_535]),
  int16: new Int16Array([-32_768, 3]),
  uint32: new Uint32Array([4_294_967_295]),
  int32: new Int32Array([-2_147_483_648]),
  uint64: new BigUint64Array([2n ** 64n - 1n]),
  int64: new BigInt64Array([-(2n ** 63n)]),
  float32: new Float32Array([1.5, Number.NaN]),
  float64: new Float64Array([1e300, Number.NEGATIVE_INFINITY]),
  empty: new Float64Array(0),
  nested: { a: [1, [2, { b: null }]], 'with space': [] },
  marked: { $type: 'float64', base64: 'mine', $$type: { $type: 1 } },
}

/** What JavaScript sees in a value, in words. */
export function described(value: unknown): string {
  if (ArrayBuffer.isView(value)) {
    const items = [...(value as unknown as Iterable<number | bigint>)].map(described)
    return `${value.constructor.name}[${items.join(' ')}]`
  }
  if (Array.isArray(value)) return `[${value.map(described).join(' ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${described(member)}`)
    return `{${members.join(' ')}}`
  }
  if (typeof value === 'string') return JSON.stringify(value)
  return Object.is(value, -0) ? '-0' : String(value)
}
