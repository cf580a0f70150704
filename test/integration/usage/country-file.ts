/** Writes a database of countries as MaxMind DB 2.0 says: a tree of bits, then the records, then what it is. */

type Value = string | number | readonly string[] | { readonly [key: string]: Value }

/** By IPv6 networks in CIDR, or IPv4 ones; each with the letters of its country. */
export function countryFile(
  networks: Readonly<Record<string, string>>,
  { type = 'Test-Country', builtAt = Date.UTC(2026, 0, 15) } = {},
): Buffer {
  const records = [...new Set(Object.values(networks))].map((code) => ({
    code,
    bytes: encode({ country: { iso_code: code, names: { en: `the country ${code}` } } }),
  }))
  const offsets = new Map<string, number>()
  let length = 0
  for (const { code, bytes } of records) {
    offsets.set(code, length)
    length += bytes.length
  }
  const nodes: (number | string | undefined)[][] = [[]]
  for (const [network, code] of Object.entries(networks)) place(nodes, bitsOf(network), code)
  const tree = Buffer.alloc(nodes.length * 6)
  for (const [at, node] of nodes.entries()) {
    for (const side of [0, 1]) {
      const next = node[side]
      const value =
        next === undefined
          ? nodes.length
          : typeof next === 'number'
            ? next
            : nodes.length + 16 + (offsets.get(next) ?? 0)
      tree.writeUIntBE(value, at * 6 + side * 3, 3)
    }
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: builtAt / 1000,
    database_type: type,
    description: { en: 'for a test' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  })
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
  return Buffer.concat([tree, Buffer.alloc(16), ...records.map(({ bytes }) => bytes), marker, metadata])
}

function place(nodes: (number | string | undefined)[][], bits: string, code: string): void {
  let at = 0
  for (const [depth, bit] of [...bits].entries()) {
    const node = nodes[at]
    if (node === undefined) return
    if (depth === bits.length - 1) {
      node[Number(bit)] = code
      return
    }
    const next = node[Number(bit)]
    if (typeof next === 'number') at = next
    else {
      node[Number(bit)] = nodes.length
      at = nodes.length
      nodes.push([])
    }
  }
}

/** The bits of a network; IPv4 lies at the beginning of the IPv6 addresses. */
function bitsOf(network: string): string {
  const [address = '', size] = network.split('/')
  const wide = address.includes(':')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [head = '', tail = ''] = address.split('::')
  const [first, last] = [groups(head), groups(tail)]
  const bits = wide
    ? [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
        .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
        .join('')
    : '0'.repeat(96) +
      address
        .split('.')
        .map((part) => Number(part).toString(2).padStart(8, '0'))
        .join('')
  return bits.slice(0, Number(size) + (wide ? 0 : 96))
}

const TEXT = 2
const MAP = 7
const UINT32 = 6
/** Of the extended types, whose number less 7 is a byte of its own. */
const LIST = 11

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([head(TEXT, value.length), Buffer.from(value)])
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return Buffer.concat([head(UINT32, 4), bytes])
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.of(value.length, LIST - 7), ...value.map(encode)])
  const entries = Object.entries(value)
  return Buffer.concat([head(MAP, entries.length), ...entries.flatMap(([key, of]) => [encode(key), encode(of)])])
}

/** For sizes below 29, which need no byte of their own. */
const head = (type: number, size: number) => Buffer.of((type << 5) | size)
