/** What a letter about a booking says, in the person's language and time zone. Pure. */
import type { BookingNoticeKind, LetterLanguage } from '@fernlab/shared/contracts/booking-notices'
import { reasonIn } from '../mail/letter-reasons.ts'
import type { Letter } from '../mail/mail.ts'
import type { NoticeDetail } from './notices.ts'

export interface BookingLetterAbout {
  readonly what: BookingNoticeKind
  readonly booking: string
  readonly detail: NoticeDetail
  /** As the lab calls itself in the person's language. */
  readonly lab: string
  readonly person: { readonly name: string; readonly email: string }
  readonly language: LetterLanguage
  readonly timeZone: string
  /** Who of the staff did it. */
  readonly by: string | undefined
  /** What the group is called, for one of it who is not in charge. */
  readonly group: string | undefined
  /** Nearest free times, epoch ms. */
  readonly free: readonly number[]
  readonly site: string
  readonly publicUrl: string
}

interface Said {
  /** `your booking`, `the booking of Circuits`. */
  readonly whose: string
  readonly lab: string
  readonly when: string
  readonly before: string
  readonly by: string
  readonly reason: string
  readonly times: number
}

interface Words {
  readonly hello: (name: string) => string
  readonly somebody: string
  readonly yours: string
  readonly ofGroup: (name: string) => string
  readonly subject: Readonly<Record<BookingNoticeKind, (said: Said) => string>>
  readonly text: Readonly<Record<BookingNoticeKind, (said: Said) => string>>
  readonly whatYouMay: (url: string) => string
  readonly free: string
  readonly moveIt: string
  readonly noneFree: (url: string) => string
  readonly mine: string
  readonly off: string
}

const english: Words = {
  hello: (name) => `Hello ${name},`,
  somebody: 'The staff',
  yours: 'your booking',
  ofGroup: (name) => `the booking of ${name}`,
  subject: {
    missed: ({ lab }) => `your booking of ${lab} was missed`,
    broken: ({ lab }) => `your booking of ${lab} could not go on`,
    'not-permitted': ({ lab }) => `your booking of ${lab} did not begin`,
    'no-bench': ({ whose, lab }) => `no bench is left for ${whose} of ${lab}`,
    'bench-again': ({ whose, lab }) => `${whose} of ${lab} has a bench again`,
    moved: ({ whose, lab }) => `${whose} of ${lab} was moved`,
    cancelled: ({ whose, lab }) => `${whose} of ${lab} was cancelled`,
    'series-cancelled': ({ lab }) => `weekly bookings of ${lab} were cancelled`,
    'series-again': ({ lab }) => `weekly bookings of ${lab} were made again`,
  },
  text: {
    missed: ({ lab, when }) =>
      `you had booked ${lab} for ${when}. Nobody had come when the grace period was over, so the time went to others. Please cancel a booking that you can not use.`,
    broken: ({ lab, when, reason }) =>
      `we are sorry: your booking of ${lab}, ${when}, could not go on${reason === '' ? '.' : `:\n\n${reason}`}`,
    'not-permitted': ({ lab, when }) =>
      `your booking of ${lab}, ${when}, was cancelled when it was to begin: no permission lets you use the lab any more. The time went to others.`,
    'no-bench': ({ whose, lab, when, reason }) =>
      `${whose} of ${lab}, ${when}, has no bench any more: one went out of use, and no other is left at that time${reason === '' ? '.' : `:\n\n${reason}`}\n\nThe booking stands: if a bench is back by then, it is kept as before. If you can, take another time.`,
    'bench-again': ({ whose, lab, when }) => `${whose} of ${lab}, ${when}, has a bench again. It is as it was booked.`,
    moved: ({ whose, lab, when, before, by }) => `${by} moved ${whose} of ${lab}.\n\nBefore: ${before}\nNow: ${when}`,
    cancelled: ({ whose, lab, when, by }) => `${by} cancelled ${whose} of ${lab}, ${when}.`,
    'series-cancelled': ({ lab, when, by, times }) =>
      `${by} cancelled what was left of a weekly series of ${lab}: ${times === 1 ? 'one time' : `${times} times`}, ${when}.`,
    'series-again': ({ lab, when, by, times }) =>
      `${by} booked again what had been cancelled of a weekly series of ${lab}: ${times === 1 ? 'one time' : `${times} times`}, ${when}.`,
  },
  whatYouMay: (url) => `The page of the lab says what you may there, and whom to ask:\n\n${url}`,
  free: 'The nearest free times; each link opens the booking of it:',
  moveIt: 'The nearest free times; each link moves your booking there:',
  noneFree: (url) => `Nothing is free near that time. The calendar shows when something is:\n\n${url}`,
  mine: 'All your bookings:',
  off: 'You get one letter for each change. Who does not want them turns them off under Account, or with "fernlab booking letters off".',
}

const spanish: Words = {
  hello: (name) => `Hola, ${name}:`,
  somebody: 'El personal',
  yours: 'tu reserva',
  ofGroup: (name) => `la reserva de ${name}`,
  subject: {
    missed: ({ lab }) => `tu reserva de ${lab} se perdió`,
    broken: ({ lab }) => `tu reserva de ${lab} no pudo seguir`,
    'not-permitted': ({ lab }) => `tu reserva de ${lab} no empezó`,
    'no-bench': ({ whose, lab }) => `no queda ningún banco para ${whose} de ${lab}`,
    'bench-again': ({ whose, lab }) => `${whose} de ${lab} vuelve a tener banco`,
    moved: ({ whose, lab }) => `${whose} de ${lab} ha cambiado de hora`,
    cancelled: ({ whose, lab }) => `${whose} de ${lab} fue anulada`,
    'series-cancelled': ({ lab }) => `reservas semanales de ${lab} anuladas`,
    'series-again': ({ lab }) => `reservas semanales de ${lab} hechas de nuevo`,
  },
  text: {
    missed: ({ lab, when }) =>
      `habías reservado ${lab}: ${when}. Al acabar el tiempo de espera no había venido nadie, así que la hora quedó para otros. Por favor, anula las reservas que no puedas usar.`,
    broken: ({ lab, when, reason }) =>
      `lo sentimos: tu reserva de ${lab}, ${when}, no pudo seguir${reason === '' ? '.' : `:\n\n${reason}`}`,
    'not-permitted': ({ lab, when }) =>
      `tu reserva de ${lab}, ${when}, se anuló cuando iba a empezar: ningún permiso te deja ya usar el laboratorio. La hora quedó para otros.`,
    'no-bench': ({ whose, lab, when, reason }) =>
      `${whose} de ${lab}, ${when}, se ha quedado sin banco: uno ha dejado de estar en uso y a esa hora no queda otro${reason === '' ? '.' : `:\n\n${reason}`}\n\nLa reserva sigue en pie: si un banco vuelve a tiempo, se guarda como antes. Si puedes, elige otra hora.`,
    'bench-again': ({ whose, lab, when }) => `${whose} de ${lab}, ${when}, vuelve a tener banco. Sigue como se hizo.`,
    moved: ({ whose, lab, when, before, by }) =>
      `${by} ha cambiado la hora de ${whose} de ${lab}.\n\nAntes: ${before}\nAhora: ${when}`,
    cancelled: ({ whose, lab, when, by }) => `${by} ha anulado ${whose} de ${lab}, ${when}.`,
    'series-cancelled': ({ lab, when, by, times }) =>
      `${by} ha anulado lo que quedaba de una serie semanal de ${lab}: ${times === 1 ? 'una hora' : `${times} horas`}, ${when}.`,
    'series-again': ({ lab, when, by, times }) =>
      `${by} ha vuelto a reservar lo que se había anulado de una serie semanal de ${lab}: ${times === 1 ? 'una hora' : `${times} horas`}, ${when}.`,
  },
  whatYouMay: (url) => `La página del laboratorio dice qué puedes hacer en él y a quién preguntar:\n\n${url}`,
  free: 'Las horas libres más cercanas; cada enlace abre la reserva de una:',
  moveIt: 'Las horas libres más cercanas; cada enlace lleva allí tu reserva:',
  noneFree: (url) => `No queda nada libre cerca de esa hora. El calendario muestra cuándo lo hay:\n\n${url}`,
  mine: 'Todas tus reservas:',
  off: 'Recibes una carta por cada cambio. Quien no las quiera las desactiva en Cuenta o con «fernlab booking letters off».',
}

const words: Readonly<Record<LetterLanguage, Words>> = { en: english, es: spanish }
/** What opens the way to another time. */
const offersTimes: ReadonlySet<BookingNoticeKind> = new Set(['missed', 'broken', 'no-bench', 'cancelled'])

/** The letter about one notice. */
export function bookingLetter(about: BookingLetterAbout): Letter {
  const { what, detail, lab, person, language, timeZone, by, group, free, site, publicUrl } = about
  const { startsAt, endsAt, before, times = 0, reason = '' } = detail
  const said = words[language]
  const span = (from: number, until: number) => spanText(from, until, language, timeZone)
  const facts: Said = {
    whose: group === undefined ? said.yours : said.ofGroup(group),
    lab,
    when: span(startsAt, endsAt),
    before: before === undefined ? '' : span(before.startsAt, before.endsAt),
    by: by ?? said.somebody,
    reason: reasonIn(reason, language, (at) => timeFormat(language, timeZone).format(at)),
    times,
  }
  const lengthMs = endsAt - startsAt
  // Only a booking that stands, and not on one bench alone that is gone, can be moved.
  const moves = what === 'no-bench' && detail.bench === undefined
  const links = free.map((at) => `${span(at, at + lengthMs)}\n${linkTo(about, at, moves)}`)
  // Who is not in charge can move nothing.
  const offer =
    group !== undefined || !offersTimes.has(what)
      ? []
      : links.length === 0
        ? [said.noneFree(`${publicUrl}/calendar?lab=${detail.lab}`)]
        : [moves ? said.moveIt : said.free, ...links]
  const text = [
    said.hello(person.name),
    said.text[what](facts),
    ...offer,
    ...(what === 'not-permitted' ? [said.whatYouMay(`${publicUrl}/labs/${detail.lab}`)] : []),
    `${said.mine}\n${publicUrl}/calendar/bookings`,
    said.off,
  ].join('\n\n')
  return { to: person.email, subject: `${site}: ${said.subject[what](facts)}`, text: `${text}\n` }
}

/** Opens the dialog of a booking at that time. */
function linkTo({ booking, detail, publicUrl }: BookingLetterAbout, at: number, moves: boolean): string {
  const query = new URLSearchParams({
    ...(moves ? { change: booking } : { lab: detail.lab, minutes: String((detail.endsAt - detail.startsAt) / 60_000) }),
    at: new Date(at).toISOString(),
  })
  return `${publicUrl}/calendar/bookings?${query}`
}

/** `Thursday, 26 November 2026, 14:00–15:00 CET`. */
function spanText(from: number, until: number, language: LetterLanguage, timeZone: string): string {
  return timeFormat(language, timeZone, 'long').formatRange(from, until)
}

const timeFormat = (language: LetterLanguage, timeZone: string, weekday?: 'long') =>
  new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    timeZone,
    weekday,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  })
