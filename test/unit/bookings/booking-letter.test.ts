import { benchLetter } from '@fernlab/hub/bench-care/bench-letter'
import { type BookingLetterAbout, bookingLetter } from '@fernlab/hub/bookings/booking-letter'
import { pausedLetter } from '@fernlab/hub/recurring/paused-letter'
import { bookingNoticeKinds, letterLanguages } from '@fernlab/shared/contracts/booking-notices'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what letters about bookings say')
const startsAt = Date.UTC(2026, 10, 26, 13)
const hourMs = 3_600_000
const about: BookingLetterAbout = {
  what: 'missed',
  booking: 'b1',
  detail: { lab: 'rc', startsAt, endsAt: startsAt + hourMs, places: 1 },
  lab: 'RC circuit',
  person: { name: 'Ada', email: 'ada@school.example' },
  language: 'en',
  timeZone: 'Europe/Madrid',
  by: undefined,
  group: undefined,
  free: [startsAt + 24 * hourMs],
  site: 'north',
  publicUrl: 'https://lab.example',
}

test('times are those of the person’s clocks, and each free one has a link that books it', () => {
  const { to, subject, text } = bookingLetter(about)
  assert.equal([to, subject], ['ada@school.example', 'north: your booking of RC circuit was missed'])
  assert.match(text, /Thursday,? 26 November 2026.*14:00–15:00 CET/)
  assert.match(text, /Friday,? 27 November 2026.*14:00–15:00 CET\nhttps:\/\/lab\.example\/calendar\/bookings\?/)
  assert.match(text, /\?lab=rc&minutes=60&at=2026-11-27T13%3A00%3A00\.000Z/)
  const elsewhere = bookingLetter({ ...about, timeZone: 'America/New_York', language: 'es' })
  assert.match(elsewhere.subject, /tu reserva de RC circuit se perdió/)
  assert.match(elsewhere.text, /jueves,? 26 de noviembre de 2026.*8:00–9:00/)
})

test('a booking that stands is moved by its link; on one bench alone that is gone, another is made', () => {
  const links = (more: Partial<BookingLetterAbout>) => bookingLetter({ ...about, what: 'no-bench', ...more }).text
  assert.match(links({}), /\?change=b1&at=2026-11-27/)
  assert.match(
    links({ detail: { ...about.detail, bench: 'n.a', reason: 'new fuse' } }),
    /new fuse[\s\S]*\?lab=rc&minutes=60/,
  )
  assert.match(links({ free: [] }), /https:\/\/lab\.example\/calendar\?lab=rc/)
})

test('why it is so comes in the language of the letter, within it too, and what is not known stays', () => {
  const why = (reason: string, language: 'en' | 'es') =>
    bookingLetter({ ...about, what: 'broken', language, detail: { ...about.detail, reason } }).text
  const closed = 'bench n.a did not become usable within 60 s: closed until 2026-11-26T15:00:00.000Z: new fuse'
  assert.match(
    why(closed, 'es'),
    /el banco n\.a no estuvo disponible en 60 s: cerrado hasta 26 de noviembre de 2026.*16:00.*: new fuse\n/i,
  )
  assert.match(
    why(closed, 'en'),
    /did not become usable within 60 s: closed until 26 November 2026.*16:00 CET: new fuse\n/,
  )
  assert.match(why('the cat sat on it', 'es'), /the cat sat on it/)
})

test('staff and owners of recurring runs read letters in their language', () => {
  const to = { person: about.person, site: 'north', publicUrl: 'https://lab.example' }
  const change = {
    at: startsAt,
    state: 'offline',
    cause: 'node',
    reason: 'its node is not connected',
    run_id: null,
  } as const
  const bench = { id: 'n.a', title: 'Bench A' }
  const spanish = benchLetter(change, { ...to, bench, language: 'es' })
  assert.is(spanish.subject, 'north: Bench A (n.a) está fuera de uso')
  assert.match(spanish.text, /desde 2026-11-26T13:00:00\.000Z:\n\nsu nodo no está conectado\n/)
  assert.match(benchLetter(change, { ...to, bench, language: 'en' }).text, /\n\nits node is not connected\n/)
  const error = new LabError({ code: 'x', kind: 'caller', message: 'no bench serves this lab' })
  const row = { id: 'r1', name: 'nightly', lab: 'rc', protocol: 'step' } as Parameters<typeof pausedLetter>[0]
  const paused = pausedLetter(row, { ...to, error, language: 'es' })
  assert.match(paused.text, /^Hola, Ada:[\s\S]*\n\nningún banco sirve a este laboratorio\n/)
})

test('whoever is not in charge of a group’s booking hears of it, and moves nothing', () => {
  const { subject, text } = bookingLetter({ ...about, what: 'cancelled', group: 'Circuits', by: 'Tess' })
  assert.is(subject, 'north: the booking of Circuits of RC circuit was cancelled')
  assert.match(text, /Tess cancelled the booking of Circuits/)
  assert.is(text.includes('at='), false)
})

test('who may not use the lab any more is sent to its page, and to no other time', () => {
  const { text } = bookingLetter({ ...about, what: 'not-permitted' })
  assert.match(text, /no permission lets you use the lab any more[\s\S]*https:\/\/lab\.example\/labs\/rc\n/)
  assert.is(text.includes('at='), false)
})

test('every notice has words in every language, with nothing left open', () => {
  for (const language of letterLanguages) {
    for (const what of bookingNoticeKinds) {
      const detail = { ...about.detail, before: { startsAt, endsAt: startsAt + 1 }, times: 3 }
      const { subject, text } = bookingLetter({ ...about, language, what, detail })
      for (const part of [subject, text])
        assert.is(/undefined|NaN|\n\n\n/.test(part), false, `${language} ${what}: ${part}`)
      assert.match(text, /https:\/\/lab\.example\/calendar\/bookings\n/)
    }
  }
})

test.run()
