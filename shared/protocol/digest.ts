import type { Protocol } from './protocol.ts'

/** The sha-256 (hex) of a JSON value in canonical form (keys sorted), the same on every platform. */
export async function digestJson(value: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson(value))
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** JSON with sorted keys and no white space (RFC 8785 for the values that protocols hold). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}

/** The sha-256 (hex) of a protocol: the same for files that differ in spelling only. */
export const protocolDigest = (protocol: Protocol): Promise<string> => digestJson(protocol)
