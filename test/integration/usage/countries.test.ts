import { mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Countries, openCountries } from '@fernlab/hub/usage/countries'
import { createLateCountries } from '@fernlab/hub/usage/late-countries'
import type { SiteUsage, Use } from '@fernlab/shared/contracts/usage'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub } from '../hub/hub-with-node.ts'
import { temporaryStore } from '../results/stored-run.ts'
import { countryFile } from './country-file.ts'
import { storeDirectUse, storeUse } from './stored-use.ts'

const test = suite('countries of uses', { timeoutMs: 30_000 })
const opened: Countries[] = []
let folder = ''
let file = ''
const networks = { '192.0.2.0/24': 'ES', '198.51.100.0/25': 'SE', '2001:db8:1::/48': 'CL' }

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-countries-'))
  file = join(folder, 'countries.mmdb')
})
test.after.each(async () => {
  await Promise.all(opened.splice(0).map((countries) => countries.close()))
  await rm(folder, { recursive: true })
})

async function open(of: string | undefined = file) {
  const log = recordingLog()
  const clock = new ManualClock()
  const countries = await openCountries({ file: of, clock, log })
  opened.push(countries)
  return { countries, clock, warnings: () => log.lines.filter(({ level }) => level === 'warn') }
}

test('addresses of both kinds are found, also mapped ones; those within networks are the site’s', async () => {
  await writeFile(file, countryFile(networks))
  const { countries } = await open()
  for (const [address, country] of Object.entries({
    '192.0.2.7': 'ES',
    '198.51.100.127': 'SE',
    '198.51.100.128': undefined,
    '203.0.113.1': undefined,
    '::ffff:192.0.2.7': 'ES',
    '::ffff:c000:207': 'ES',
    '2001:db8:1::5': 'CL',
    '2001:DB8:1:ffff::': 'CL',
    '2001:db8:2::5': undefined,
    '10.1.2.3': 'site',
    '172.31.0.1': 'site',
    '172.32.0.1': undefined,
    '::ffff:192.168.1.1': 'site',
    '::1': 'site',
    'fd00::1': 'site',
    'fe80::1%eth0': 'site',
    unknown: undefined,
    '': undefined,
  })) {
    assert.is(countries.of(address), country, address)
  }
  assert.equal(countries.source(), { database: 'Test-Country', builtAt: '2026-01-15T00:00:00.000Z' })
})

test('a site without a database knows its own addresses only', async () => {
  const log = recordingLog()
  const countries = await openCountries({ file: undefined, clock: new ManualClock(), log })
  opened.push(countries)
  assert.equal([countries.of('192.0.2.7'), countries.of('10.0.0.1')], [undefined, 'site'])
  assert.equal(countries.source(), {})
})

test('a file that is put in place of another is read within a minute, a broken one is told and changes nothing', async () => {
  await writeFile(file, countryFile({ '192.0.2.0/24': 'ES' }))
  const { countries, clock, warnings } = await open()
  const replaced = async (bytes: Buffer) => {
    await writeFile(`${file}.new`, bytes)
    await rename(`${file}.new`, file)
    await clock.advance(60_000)
    await countries.look()
  }
  await replaced(countryFile({ '192.0.2.0/24': 'FR' }))
  assert.is(countries.of('192.0.2.7'), 'FR')
  for (const [bytes, why] of [
    [Buffer.from('<html>sign in to download</html>'), /countries\.mmdb is not in that format, or not whole; it may be/],
    [countryFile(networks, { type: 'GeoLite2-ASN' }), /holds GeoLite2-ASN; it may be a database of countries/],
    [countryFile(networks).subarray(400), /is not whole; it may be/],
  ] as const) {
    await replaced(bytes)
    assert.match(countries.source().problem ?? '', why)
    assert.is(countries.of('192.0.2.7'), 'FR', 'by what was read before')
  }
  await clock.advance(120_000)
  await countries.look()
  assert.is(warnings().length, 3, 'each is told once')
  await replaced(countryFile({ '192.0.2.0/24': 'PT' }))
  assert.equal([countries.of('192.0.2.7'), countries.source().problem], ['PT', undefined])
  await rm(file)
  await countries.look()
  assert.match(countries.source().problem ?? '', /can’t be read \(ENOENT\); FERNLAB_COUNTRY_DB may name/)
  assert.is(countries.of('192.0.2.7'), 'PT')
})

test('a file that turns out to be damaged is told, and the rest of it is used', async () => {
  const damaged = countryFile(networks)
  const records = damaged.indexOf('MaxMind.com') - 3
  // The record of the last country.
  damaged.fill(0, records - 40, records)
  await writeFile(file, damaged)
  const { countries, warnings } = await open()
  assert.is(countries.of('2001:db8:1::5'), undefined)
  assert.match(countries.source().problem ?? '', /countries\.mmdb is damaged \(.*\); put a new copy there/)
  assert.equal([countries.of('192.0.2.7'), warnings().length], ['ES', 1])
})

test('earlier uses are filled in when a file comes, once, in the parts that are left, and none without its address', async () => {
  const { store, close } = await temporaryStore()
  const known = { at: 1, person: 'ana', country: 'FR' }
  for (let at = 0; at < 600; at++) await storeUse(store, { at, person: 'ana', address: `192.0.2.${at % 200}` })
  await storeUse(store, { ...known, address: '192.0.2.1' })
  await storeUse(store, { at: 700, person: 'bo', address: '203.0.113.1' })
  await storeUse(store, { at: 701, person: 'bo' })
  const counts = async () => {
    const query = 'SELECT country, COUNT(*) AS uses FROM run GROUP BY country ORDER BY country'
    return (await store.database.read(query)).map(({ country, uses }) => [country, uses])
  }
  const none = await open()
  const log = recordingLog()
  const late = createLateCountries({ store, countries: none.countries, clock: none.clock, log })
  await late.round()
  assert.equal(await counts(), [
    [null, 602],
    ['FR', 1],
  ])
  await writeFile(file, countryFile({ '192.0.2.0/24': 'ES' }))
  await none.countries.look()
  await late.round()
  const filled = [
    [null, 2],
    ['ES', 600],
    ['FR', 1],
  ]
  assert.equal(await counts(), filled)
  assert.equal(
    log.lines.map(({ fields, message }) => [message, (fields as { found?: number })?.found]),
    [
      ['countries of earlier uses are looked up', undefined],
      ['countries of earlier uses are filled in', 600],
    ],
  )
  // What one that was cut off had left: uses after the last that it wrote of.
  await store.database.write([
    { sql: "UPDATE run SET country = NULL WHERE created_at IN (100, 599) AND country = 'ES'" },
  ])
  const last = await store.db.selectFrom('run').select('id').where('created_at', '=', 500).executeTakeFirstOrThrow()
  const progress = { database: 'Test-Country 2026-01-15T00:00:00.000Z', at: 500, id: last.id }
  await store.database.write([
    { sql: "UPDATE setting SET value = ? WHERE name = 'usage.countries'", params: [JSON.stringify(progress)] },
  ])
  await late.close()
  const again = createLateCountries({ store, countries: none.countries, clock: none.clock, log: recordingLog() })
  await again.round()
  assert.equal((await counts())[0], [null, 3], 'those before are not looked up again')
  const newer = countryFile({ '192.0.2.0/24': 'ES', '203.0.113.0/24': 'SE' }, { builtAt: Date.UTC(2026, 1, 15) })
  await writeFile(`${file}.new`, newer)
  await rename(`${file}.new`, file)
  await none.countries.look()
  await again.round()
  await again.close()
  assert.equal(await counts(), [
    [null, 1],
    ['ES', 600],
    ['FR', 1],
    ['SE', 1],
  ])
  await close()
})

test('benches driven by hand get their country from a file that comes later, while their address is kept', async () => {
  const { store, close } = await temporaryStore()
  for (let at = 0; at < 600; at++) await storeDirectUse(store, { at, person: 'ana', address: '192.0.2.7' })
  await storeDirectUse(store, { at: 1, person: 'ana', address: '192.0.2.7', country: 'FR' })
  await storeDirectUse(store, { at: 700, person: 'bo' })
  await storeUse(store, { at: 5, person: 'ana', address: '192.0.2.8' })
  const counts = async (table: 'direct_use' | 'run') => {
    const rows = await store.database.read(
      `SELECT country, COUNT(*) AS n FROM ${table} GROUP BY country ORDER BY country`,
    )
    return rows.map(({ country, n }) => [country, n])
  }
  const none = await open()
  const late = createLateCountries({ store, countries: none.countries, clock: none.clock, log: recordingLog() })
  await late.round()
  assert.equal((await counts('direct_use'))[0], [null, 601])
  await writeFile(`${file}.new`, countryFile({ '192.0.2.0/24': 'ES' }, { builtAt: Date.UTC(2026, 2, 15) }))
  await rename(`${file}.new`, file)
  await none.countries.look()
  await late.round()
  await late.close()
  assert.equal(await counts('direct_use'), [
    [null, 1],
    ['ES', 600],
    ['FR', 1],
  ])
  assert.equal(await counts('run'), [['ES', 1]])
  await close()
})

test('a hub keeps the country of each use, behind a proxy too, without the address where none is kept', async () => {
  await writeFile(file, countryFile(networks))
  const lab = await startTestHub({ env: { FERNLAB_COUNTRY_DB: file, FERNLAB_TRUSTED_PROXIES: 'loopback' } })
  try {
    const ask = async (from?: string) => {
      const response = await lab.call('/api/v1/runs', {
        method: 'POST',
        json: { lab: 'small', protocol: 'nothing' },
        ...(from === undefined ? {} : { headers: { 'x-forwarded-for': from } }),
      })
      assert.is(response.status, 201, await response.text())
    }
    await lab.node('n')
    await ask('192.0.2.7')
    await ask('2001:db8:1::9')
    await ask('203.0.113.1')
    await ask()
    const rules = { addressDays: 0, nameDays: null }
    assert.is((await lab.call('/api/v1/settings/usage', { method: 'PUT', json: rules })).status, 200)
    await ask('198.51.100.7')
    const uses = async (query: string) =>
      ((await (await lab.call(`/api/v1/usage/uses?${query}`)).json()) as { items: Use[] }).items
    assert.equal(
      (await uses('')).map(({ country }) => country),
      ['SE', 'site', undefined, 'CL', 'ES'],
    )
    assert.is((await uses('country=SE'))[0]?.address, undefined)
    for (const country of ['site', 'unknown', 'CL']) assert.is((await uses(`country=${country}`)).length, 1, country)
    const site = (await (await lab.call('/api/v1/usage/site')).json()) as SiteUsage
    assert.equal(site.countrySource.database, 'Test-Country')
    assert.is(site.countries.length, 5)
  } finally {
    await lab.close()
  }
})

test('a hub starts with a file that is missing or cut off, and its page can say why', async () => {
  await writeFile(file, countryFile(networks))
  await truncate(file, 300)
  const lab = await startTestHub({ env: { FERNLAB_COUNTRY_DB: file } })
  try {
    const { countrySource } = (await (await lab.call('/api/v1/usage/site')).json()) as SiteUsage
    assert.match(countrySource.problem ?? '', 'countries.mmdb is not in that format, or not whole')
  } finally {
    await lab.close()
  }
})

test.run()
