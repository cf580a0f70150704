import { SESSION_PROTOCOL } from '@fernlab/shared/protocol/session-protocol'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { minute, storeDirectUse, storeUse } from './stored-use.ts'

const test = suite('fernlab usage', { timeoutMs: 60_000 })
let hub: ServedHub
let token = ''
let person: ServedHub['person'] extends (...args: never[]) => Promise<infer Made> ? Made : never

const at = Date.parse('2026-03-02T09:00:00.000Z')
const period = ['--from', '2026-03-01', '--to', '2026-03-08', '--time-zone', 'UTC']

test.before(async () => {
  hub = await serveHub({ benches: ['n.a'] })
  token = (await hub.person('admin', ['admin'])).token.token
  person = await hub.person('student', ['read'])
  const { db } = hub.store
  await hub.store.write([
    db.insertInto('people_group').values({ id: 'optics', name: 'Optics', kind: 'course', created_at: 0 }),
    db
      .insertInto('group_member')
      .values({ group_id: 'optics', person_id: person.person.id, role: 'member', added_at: 0 }),
  ])
  await storeUse(hub.store, {
    person: person.person.id,
    at,
    address: '192.0.2.7',
    country: 'ES',
    parameters: { voltage: 3 },
  })
  await storeUse(hub.store, { person: person.person.id, at: at + 60 * minute, protocol: SESSION_PROTOCOL })
})
test.after(() => hub.close())

/** What the command writes, as in a terminal that nobody watches. */
async function usage(...args: string[]): Promise<string> {
  const verb = args[0] === 'settings' ? [] : ['usage']
  const { code, out, err } = await commandLine([...verb, ...args, '--hub', hub.url, '--token', token], { env: {} })
  if (code !== 0) throw new Error(err)
  return `${out}${err}`
}
const refusal = (...args: string[]) =>
  usage(...args).then(
    () => '',
    (error: { message: string }) => error.message,
  )

test('uses, one of them, and all as CSV', async () => {
  const listed = await usage('uses')
  assert.match(listed, /^USE +ASKED FOR +WHO +LAB/)
  assert.match(listed, /student +rc-circuit, charge-curve +n\.a +0 +600 +succeeded +192\.0\.2\.7 ES\n/)
  assert.match(listed, /rc-circuit, live/)
  const [, first] = JSON.parse(await usage('uses', '--json')) as { id: string }[]
  assert.match(
    await usage('use', first?.id ?? ''),
    /^student: rc-circuit, charge-curve on n\.a\n[\s\S]*from 192\.0\.2\.7, from ES\n[\s\S]*voltage = 3\n/,
  )
  assert.is(await usage('use', first?.id ?? '', '--csv', 'files'), '"at","person","name","file"\n')
  assert.match(await usage('use', first?.id ?? '', '--csv', 'commands'), /^"at","person","name","what"/)
  assert.match(await usage('use', first?.id ?? ''), 'waited 0 s, lasted 600 s\n')
  assert.match(await usage('uses', '--csv'), /^"use","person"(.*\r?\n){3}$/)
  assert.match(await usage('uses', '--lab', 'none'), 'Nobody used anything')
  assert.match(await refusal('uses', '--from', 'soon'), '"soon" is not a time')
})

test('a course: its people, hours, timeline and hints', async () => {
  assert.match(
    await usage('course', 'optics', ...period),
    /student +\S+@\S+ +2 +yes +20 +2026-03-02 10:00 +rc-circuit 2\n/,
  )
  assert.match(
    await usage('course', 'optics', ...period, '--lab', 'diode-iv', '--not-done'),
    /student +\S+ +0 +no +0 +never/,
  )
  assert.is(await usage('course', 'optics', ...period, '--lab', 'rc-circuit', '--not-done'), 'Everybody has done it.\n')
  const late = ['course', 'optics', ...period, '--lab', 'rc-circuit', '--not-done']
  assert.equal(JSON.parse(await usage(...late, '--json')).people, [])
  assert.match(await refusal(...late, '--csv'), '--csv has everybody and all labs')
  assert.match(await usage('course', 'optics', ...period, '--csv'), /,"rc-circuit",2,1200,/)
  assert.match(await usage('course', 'optics', ...period, '--csv', '--hours'), /^"weekday","0h_s"/)
  assert.match(await usage('timeline', 'optics', ...period), /n\.a +2026-03-02 09:00 +2026-03-02 09:10/)
  assert.is(await usage('similar', 'optics', ...period, '--within', '2'), 'Nothing stands out.\n')
  assert.match(await refusal('course', 'none'), 'there is no group none')
})

test('the site, in words and as each of its tables', async () => {
  const words = await usage('site', ...period)
  assert.match(words, '2 uses by 1 person, 0.33 h on benches')
  assert.match(words, /n\.a +2 +0\.33 +0 +168 +0\.2 %\n/)
  assert.match(words, /Spain +1 +1\n/)
  assert.match(words, 'countries are looked up where FERNLAB_COUNTRY_DB names a database of them')
  assert.match(await usage('site', ...period, '--csv', 'waits'), /^"hour","uses","median_s","p95_s"/)
})

test('benches that were driven by hand, one of them, and all as CSV', async () => {
  assert.match(await usage('direct'), 'Nobody drove a bench by hand')
  const { id } = await storeDirectUse(hub.store, {
    ...{ person: person.person.id, at, bench: 'n.b', country: 'ES' },
    exchanges: [
      { set: { 'psu.voltage': 5 } },
      { set: { 'psu.voltage': 50 }, error: 'too much', way: 'mqtt', address: '192.0.2.8' },
    ],
  })
  assert.match(await usage('direct', '--bench', 'n.b'), /student +n\.b +600 +released +2 +ES\n/)
  assert.match(await usage('direct', '--csv'), /^"use","person".*\r?\n"[^"]+",/)
  const words = await usage('direct', id)
  assert.match(words, /^student: n\.b, from ES\n/)
  assert.match(words, 'lasted 600 s, 2 exchanges\n')
  assert.match(words, /psu\.voltage=5 +done +API +1\n/)
  assert.match(words, /psu\.voltage=50 +too much +MQTT 192\.0\.2\.8 +1\n/)
  assert.match(
    await usage('direct', id, '--csv'),
    /^"at","set","read","answer","error","took_ms","way","address"\r?\n.*,"mqtt","192\.0\.2\.8"\r?\n$/s,
  )
  assert.match(await usage('site', ...period), '; 0.17 h driven by hand')
})

test('how long addresses and names are kept, with a look before', async () => {
  assert.is(await usage('settings', 'usage'), 'addresses: kept for 90 days\nnames: kept for good\n')
  const wanted = ['settings', 'usage', '--addresses', '0', '--names', '36500']
  assert.match(
    await usage(...wanted, '--preview'),
    /^would forget 1 addresses, and give 0 uses of 0 people a pseudonym/,
  )
  assert.is(await usage('settings', 'usage'), 'addresses: kept for 90 days\nnames: kept for good\n')
  assert.is(await usage(...wanted), 'addresses: not kept\nnames: a pseudonym after 36500 days\n')
  await hub.maintenance.sweep()
  assert.not.match(await usage('uses', '--csv'), '192.0.2.7')
  assert.match(await refusal('settings', 'usage', '--names', 'long'), 'neither a number of days')
  assert.match(await refusal('settings', 'usage', '--names', '7'), '30')
})

test.run()
