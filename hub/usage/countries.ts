/**
 * Which country an address is in, by a database file that the admin provides (MaxMind DB, version 2.0).
 *
 * INVARIANTS: a file that is missing or broken keeps nobody from using anything: it is said in the log once, in `source()`
 * until it is mended, and what was read before holds on; no address leaves this process.
 */
import { readFile, stat } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import type { CountrySource } from '@fernlab/shared/contracts/usage'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type CountryResponse, Reader } from 'mmdb-lib'
import { unmapped } from '../api/client-address.ts'

export interface Countries {
  /** Two letters of ISO 3166-1; `site` for an address that only its own network knows; undefined where it is unknown. */
  of(address: string): string | undefined
  /** What the look-ups come from, and why there are none. */
  source(): CountrySource
  /** Reads the file again if it is another one; also done each minute. */
  look(): Promise<void>
  /** Each time another file was read; returns the way to end it. */
  onRead(listener: () => void): () => void
  close(): Promise<void>
}

const LOOK_MS = 60_000

/** Reads the file; resolves also where it can't be read. Without a file, only the site's own addresses are known. */
export async function openCountries({
  file,
  clock,
  log,
}: {
  readonly file: string | undefined
  readonly clock: Clock
  readonly log: Log
}): Promise<Countries> {
  const withinNetworks = ownNetworks()
  let reader: Reader<CountryResponse> | undefined
  let problem: string | undefined
  let seen: string | undefined
  let working: Promise<void> = Promise.resolve()
  let cancel = () => {}
  let closed = false
  const listeners = new Set<() => void>()

  const failed = (why: string) => {
    if (why === problem) return
    problem = why
    log.warn({ file }, `countries of uses can not be looked up: ${why}`)
  }

  const read = async (path: string) => {
    try {
      const { mtimeMs, size, ino } = await stat(path)
      const state = `${mtimeMs} ${size} ${ino}`
      if (state === seen) return
      const bytes = await readFile(path)
      // Also of a broken one: it is not read again before it is another.
      seen = state
      reader = readerOf(path, bytes)
    } catch (error) {
      return failed(error instanceof LabError ? error.message : unreadable(path, error))
    }
    if (problem !== undefined) log.info({ file }, 'countries of uses can be looked up')
    problem = undefined
    for (const listener of listeners) listener()
  }

  const look = (): Promise<void> => {
    if (file !== undefined) working = working.then(() => read(file))
    return working
  }

  const lookEachMinute = () => {
    cancel = clock.after(LOOK_MS, () => {
      void look().then(() => {
        if (!closed) lookEachMinute()
      })
    })
  }
  await look()
  if (file !== undefined) lookEachMinute()

  return {
    of: (address) => {
      const plain = unmapped(address.split('%')[0] ?? '')
      const family = isIP(plain)
      if (family === 0) return undefined
      if (withinNetworks.check(plain, family === 4 ? 'ipv4' : 'ipv6')) return 'site'
      if (reader === undefined) return undefined
      try {
        const code = reader.get(plain)?.country?.iso_code
        return code !== undefined && /^[A-Z]{2}$/.test(code) ? code : undefined
      } catch (error) {
        failed(`${file} is damaged (${asLabError(error).message}); put a new copy there`)
        return undefined
      }
    },
    source: () => ({
      ...(reader === undefined
        ? {}
        : { database: reader.metadata.databaseType, builtAt: reader.metadata.buildEpoch.toISOString() }),
      ...(problem === undefined ? {} : { problem }),
    }),
    look,
    onRead: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      closed = true
      cancel()
      await working
    },
  }
}

/** Addresses that networks use within themselves: RFC 1918, 6598, 3927, 4193, 4291. */
function ownNetworks(): BlockList {
  const list = new BlockList()
  for (const [network, bits] of [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const) {
    list.addSubnet(network, bits, 'ipv4')
  }
  list.addAddress('::1', 'ipv6')
  list.addSubnet('fc00::', 7, 'ipv6')
  list.addSubnet('fe80::', 10, 'ipv6')
  return list
}

/** Throws `country-database` for bytes that are no database of countries. */
function readerOf(path: string, bytes: Buffer): Reader<CountryResponse> {
  const wrong = (what: string) =>
    new LabError({
      code: 'country-database',
      kind: 'configuration',
      message: `${path} ${what}; it may be a database of countries or cities in MaxMind’s format (.mmdb), unpacked`,
    })
  let reader: Reader<CountryResponse>
  try {
    reader = new Reader<CountryResponse>(bytes)
  } catch {
    throw wrong('is not in that format, or not whole')
  }
  const { databaseType, searchTreeSize, buildEpoch } = reader.metadata
  if (!/country|city|enterprise/i.test(databaseType)) throw wrong(`holds ${databaseType}`)
  if (searchTreeSize >= bytes.length || Number.isNaN(buildEpoch.getTime())) throw wrong('is not whole')
  return reader
}

function unreadable(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : asLabError(error).message
  return `${path} can’t be read (${code}); FERNLAB_COUNTRY_DB may name a database of countries in MaxMind’s format (.mmdb)`
}
