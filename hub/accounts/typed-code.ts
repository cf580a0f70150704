import { randomBytes } from 'node:crypto'

/** Crockford's base 32: no letter that reads like a digit or another letter. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const groupLength = 5

/** A code of 25 random bits a group to read aloud and type, as `7K3QM-X2V9R-0HJ4T-WBN8C`; never begins with a dash. */
export function newTypedCode(groups = 4): string {
  const letters = [...randomBytes(groups * groupLength)].map((byte) => alphabet[byte & 31])
  return Array.from({ length: groups }, (_, i) => letters.slice(i * groupLength, (i + 1) * groupLength).join('')).join(
    '-',
  )
}

/** What a typed code means: dashes, spaces and case do not count, and O, I and L are read as the digits they look like. */
export function readTypedCode(typed: string): string {
  return typed.toUpperCase().replace(/[-\s]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
}
