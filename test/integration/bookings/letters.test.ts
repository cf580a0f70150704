/** Letters about bookings, taken by a real mail server, and the same on the page. */
import type { BookingLetters, BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type MailServer, startMailServer } from '../accounts/mail-server.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { smallLab, until } from '../hub/hub-with-node.ts'

const test = suite('letters about bookings', { timeoutMs: 30_000 })
const hourMs = 3_600_000
const first = Math.ceil(Date.now() / hourMs) * hourMs + 24 * hourMs
const at = (hours: number) => new Date(first + hours * hourMs).toISOString()
type Who = Awaited<ReturnType<ServedHub['person']>>
const log = recordingLog()
let hub: ServedHub
let mail: MailServer
let ada: Who
let teacher: Who

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ benches: ['n.a', 'n.b'], smtpUrl: mail.url, log })
  await hub.catalogue.push(Object.fromEntries(smallLab.map(({ path, text }) => [path, text])), { id: 'small' })
  ada = await confirmed()
  teacher = await hub.person('instructor', ['run'])
})
test.after(async () => {
  await hub.close()
  await mail.close()
})

/** A student whose address is known to be theirs. */
async function confirmed(): Promise<Who> {
  const who = await hub.person('student', ['run'])
  await hub.store.write([hub.store.db.updateTable('user').set({ emailVerified: 1 }).where('id', '=', who.person.id)])
  return who
}
const send = async <Answer>(who: Who, method: string, path: string, body?: object): Promise<Answer> => {
  const answer = await hub.json(method, path, body, who.bearer)
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
  return (answer.status === 204 ? undefined : await answer.json()) as Answer
}
const book = (who: Who, start: string, more: object = {}) =>
  send<Booking>(who, 'POST', '/api/v1/bookings', { lab: 'small', start, seconds: 3600, ...more })
const notices = async (who: Who) =>
  (await send<{ items: BookingNotice[] }>(who, 'GET', '/api/v1/bookings/notices')).items
const settled = () =>
  until(async () => {
    const due = hub.store.db.selectFrom('booking_notice').select('id').where('letter', 'in', ['due', 'spread'])
    return (await due.execute()).length === 0
  }, 'every letter is written')

test('its person hears once when staff move or cancel it, in their language and time zone; of what they do, nothing', async () => {
  await send(ada, 'PUT', '/api/v1/me/booking-letters', { language: 'es', timeZone: 'America/New_York' })
  const { id } = await book(ada, at(0))
  await send(ada, 'PUT', `/api/v1/bookings/${id}`, { start: at(1) })
  assert.equal(await notices(ada), [])
  await send(teacher, 'PUT', `/api/v1/bookings/${id}`, { note: 'a note alone is nothing to tell' })
  await send(teacher, 'PUT', `/api/v1/bookings/${id}`, { start: at(2) })
  const moved = await mail.letterTo(ada.person.email)
  assert.match(moved, /tu reserva de Small ha cambiado de hora|=\?UTF-8\?/)
  assert.match(moved, /EST|GMT-/)
  await send(teacher, 'POST', `/api/v1/bookings/${id}/cancel`)
  assert.match(await mail.letterTo(ada.person.email), /calendar\/bookings\?lab=small&minutes=60&at=/)
  await settled()
  assert.is(mail.letters.length, 2)
  const found = await notices(ada)
  assert.equal(
    found.map(({ what, by, start, before }) => [what, by, start, before?.start]),
    [
      ['cancelled', 'instructor', at(2), undefined],
      ['moved', 'instructor', at(2), at(1)],
    ],
  )
  const path = `/api/v1/bookings/notices/${found[0]?.id}/put-away`
  assert.is((await hub.json('POST', path, undefined, teacher.bearer)).status, 404)
  await send(ada, 'POST', path)
  await send(ada, 'POST', path)
  assert.equal(
    (await notices(ada)).map(({ what }) => what),
    ['moved'],
  )
})

test('while the disk takes no mark that a letter was sent, it is not sent again', async () => {
  const before = mail.letters.length
  const mark =
    "BEFORE UPDATE OF letter ON booking_notice WHEN NEW.letter = 'sent' BEGIN SELECT RAISE(ABORT, 'no room'); END"
  await hub.store.database.write([{ sql: `CREATE TRIGGER no_mark ${mark}` }])
  const cancelled = async (hours: number) => {
    const { id } = await book(ada, at(hours))
    await send(teacher, 'POST', `/api/v1/bookings/${id}/cancel`)
  }
  await cancelled(20)
  await mail.letterTo(ada.person.email)
  // Each lets the hub look again at what is due.
  const fails = () =>
    log.lines.filter(({ message }) => message === 'letters about bookings could not be written').length
  for (const hours of [21, 22]) {
    const failed = fails()
    await cancelled(hours)
    await until(() => fails() > failed, 'a round that can not mark what it has sent')
  }
  assert.is(mail.letters.length, before + 1)
  await hub.store.database.write([{ sql: 'DROP TRIGGER no_mark' }])
  await cancelled(23)
  await settled()
  assert.is(mail.letters.length, before + 4)
})

test('no letter goes to an address that is not confirmed, nor to who wants none; the page tells them', async () => {
  const [stranger, quiet] = [await hub.person('student', ['run']), await confirmed()]
  await send(quiet, 'PUT', '/api/v1/me/booking-letters', { wanted: false })
  const states = [stranger, quiet].map((who) => send<BookingLetters>(who, 'GET', '/api/v1/me/booking-letters'))
  assert.equal(
    (await Promise.all(states)).map(({ wanted, possible, confirmed: proven }) => [wanted, possible, proven]),
    [
      [true, true, false],
      [false, true, true],
    ],
  )
  const before = mail.letters.length
  for (const who of [stranger, quiet]) {
    const { id } = await book(who, at(10))
    await send(teacher, 'POST', `/api/v1/bookings/${id}/cancel`)
    assert.equal(
      (await notices(who)).map(({ what }) => what),
      ['cancelled'],
    )
  }
  await settled()
  assert.is(mail.letters.length, before)
})

test('those who learn in a group hear of its bookings, once for a whole series', async () => {
  const learner = await confirmed()
  const group = { id: 'circuits', name: 'Circuits', kind: 'group' as const, within: null }
  const member = { group_id: 'circuits', person_id: learner.person.id, role: 'member' as const, added_at: 0 }
  await hub.store.write([
    hub.store.db.insertInto('people_group').values({ ...group, starts_at: null, ends_at: null, created_at: 0 }),
    hub.store.db.insertInto('group_member').values(member),
  ])
  hub.groups.changed()
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
  const day = (inDays: number) => new Date(first + inDays * 24 * hourMs).toISOString().slice(0, 10)
  const weekly = { days, at: '20:00', timeZone: 'UTC', from: day(1), until: day(4) }
  const series = { lab: 'small', weekly, seconds: 3600, group: 'circuits' }
  const { id } = await send<{ id: string }>(teacher, 'POST', '/api/v1/booking-series', series)
  await send(teacher, 'POST', `/api/v1/booking-series/${id}/cancel`)
  const letter = await mail.letterTo(learner.person.email)
  assert.match(letter, /weekly series of Small: 4 times/)
  await settled()
  assert.equal(
    (await notices(learner)).map(({ what, times }) => [what, times]),
    [['series-cancelled', 4]],
  )
  await send(teacher, 'POST', `/api/v1/booking-series/${id}/take-back`)
  assert.match(await mail.letterTo(learner.person.email), /booked again what had been cancelled/)
  await settled()
  assert.equal(
    (await notices(learner)).map(({ what, times }) => [what, times]),
    [
      ['series-again', 4],
      ['series-cancelled', 4],
    ],
  )
  // While no letter goes out, what is taken back is not told as cancelled.
  const row = "BEFORE INSERT ON booking_notice WHEN NEW.letter = 'due' BEGIN SELECT RAISE(ABORT, 'no room'); END"
  await hub.store.database.write([{ sql: `CREATE TRIGGER no_spread ${row}` }])
  await send(teacher, 'POST', `/api/v1/booking-series/${id}/cancel`)
  await send(teacher, 'POST', `/api/v1/booking-series/${id}/take-back`)
  await hub.store.database.write([{ sql: 'DROP TRIGGER no_spread' }])
  await settled()
  assert.equal(
    (await notices(learner)).map(({ what }) => what),
    ['series-again', 'series-cancelled'],
    'who was never told hears nothing of it',
  )
  assert.equal(await notices(teacher), [], 'who did it knows')
})

test.run()
