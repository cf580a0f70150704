import { BlockList, isIP } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Finds out who is calling, where proxies stand in between. */
export interface ClientAddress {
  /** The caller's own address; forwarded headers count only as far as trusted proxies wrote them. */
  of(socketAddress: string | undefined, headers: Headers): string
  /** True when the peer is a trusted proxy, so that its `X-Forwarded-Host` and `-Proto` may be believed. */
  trusts(socketAddress: string | undefined): boolean
}

/** Takes addresses and networks (`10.0.0.0/8`, `::1`, `loopback`); throws `setting-invalid` for another text. */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const list = new BlockList()
  for (const entry of trustedProxies) {
    if (entry === 'loopback') {
      list.addSubnet('127.0.0.0', 8, 'ipv4')
      list.addAddress('::1', 'ipv6')
      continue
    }
    const [address = '', bits] = entry.split('/')
    const family = isIP(address)
    const width = family === 4 ? 32 : 128
    const length = bits === undefined ? width : Number(bits)
    if (family === 0 || !Number.isInteger(length) || length < 0 || length > width) {
      throw new LabError({
        code: 'setting-invalid',
        kind: 'configuration',
        message: `FERNLAB_TRUSTED_PROXIES has ${JSON.stringify(entry)}; it may have addresses, networks (10.0.0.0/8) and loopback`,
      })
    }
    list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  }
  const trusts = (address: string | undefined) => {
    if (trustedProxies.length === 0) return false
    const plain = unmapped(address ?? '')
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    trusts,
    of: (socketAddress, headers) => {
      let client = unmapped(socketAddress ?? 'unknown')
      const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => unmapped(hop.trim()))
      for (let hop = hops.pop(); trusts(client) && hop !== undefined && isIP(hop) !== 0; hop = hops.pop()) client = hop
      return client
    },
  }
}

/** What one client can choose its addresses from: an IPv4 address alone, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  const plain = unmapped(address)
  if (isIP(plain) !== 6) return plain
  const [head = '', tail] = (plain.split('%')[0] ?? '').toLowerCase().split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [first, last] = [groups(head), groups(tail ?? '')]
  // An IPv4 address at the end stands for two groups.
  const length = first.length + last.length + (last.at(-1)?.includes('.') ? 1 : 0)
  const whole = [...first, ...Array.from({ length: tail === undefined ? 0 : 8 - length }, () => '0'), ...last]
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** `::ffff:10.0.0.1` is 10.0.0.1, and so is `::ffff:a00:1`. */
export function unmapped(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ?? []
  if (high === undefined || low === undefined) return address
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.')
}
