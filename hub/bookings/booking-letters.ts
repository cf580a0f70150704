/**
 * Letters to people about what became of their bookings.
 *
 * INVARIANTS: what is to be told is a row in the write of what it tells of, so no hub that was killed in between forgets
 * it; a row is marked as sent once its letter was handed over: one that a hub was killed over goes out again with the same
 * Message-ID, which a mailbox keeps once; while the disk takes no mark, this process hands none over again; a letter that
 * could not be handed over stays due.
 */
import {
  type ChangeBookingLetters,
  type LetterLanguage,
  letterLanguages,
  type BookingLetters as ShownLetters,
} from '@fernlab/shared/contracts/booking-notices'
import { textIn } from '@fernlab/shared/contracts/common'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { createLossLog } from '../broker/loss-log.ts'
import type { FaultHook } from '../fault-point.ts'
import type { Groups } from '../groups/groups.ts'
import type { LetterWriting } from '../mail/letter-writing.ts'
import { createRounds } from '../mail/rounds.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import { SOON_MS } from './bench-watch.ts'
import { bookingLetter } from './booking-letter.ts'
import type { Bookings } from './bookings.ts'
import type { NoticeDetail } from './notices.ts'

export interface BookingLetters {
  /** Looks now for what is due; repeated by itself. */
  look(): void
  /** How the person gets letters. */
  of(personId: string): Promise<ShownLetters>
  /** Turns the person's letters on or off, or says in what language and time zone they are. */
  change(personId: string, change: ChangeBookingLetters): Promise<void>
  /** Waits for what is under way. */
  close(): Promise<void>
}

export interface CreateBookingLettersOptions extends LetterWriting {
  readonly bookings: Pick<Bookings, 'near'>
  readonly groups: Pick<Groups, 'known' | 'students'>
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly faultPoint?: FaultHook | undefined
}

const TICK_MS = 10_000
const AGAIN_MS = 60_000
const DAY_MS = 86_400_000
/** What could not be told for so long is told on the page only. */
const STALE_MS = 2 * DAY_MS
const AT_ONCE = 100

/** Writes letters until it is closed; without a mail server, only the page tells. */
export function createBookingLetters(options: CreateBookingLettersOptions): BookingLetters {
  const { store, groups, labs, mail, site, publicUrl, clock, log } = options
  const { db } = store
  const losses = createLossLog(log)
  let notBefore = Number.NEGATIVE_INFINITY
  /** Ids of rows that the disk does not say are sent yet. */
  const handedOver = new Set<string>()

  /** No letter goes out. */
  const leave = (id: string, from: 'spread' | 'due') =>
    db.updateTable('booking_notice').set({ letter: 'none' }).where('id', '=', id).where('letter', '=', from)

  /** A row for each who learns in the group, in the write that takes the group's own away. */
  const spread = async () => {
    const rows = await db
      .selectFrom('booking_notice')
      .selectAll()
      .where('letter', '=', 'spread')
      .orderBy('id')
      .execute()
    for (const { id, group_id, booking_id, what, at, detail } of rows) {
      const { by } = JSON.parse(detail) as NoticeDetail
      const isThere = group_id !== null && (await groups.known([group_id])).has(group_id)
      const people = isThere ? await groups.students({ id: '', role: 'admin' }, group_id) : []
      const told = await db.selectFrom('booking').select('person_id').where('id', '=', booking_id).executeTakeFirst()
      const others = people.filter((person) => person.id !== by && person.id !== told?.person_id)
      const rowsOfOthers = others.map((person) =>
        db
          .insertInto('booking_notice')
          .values({ id: newId(at), booking_id, person_id: person.id, group_id, what, at, detail, letter: 'due' }),
      )
      try {
        await store.write([{ query: leave(id, 'spread'), expect: 1 }, ...rowsOfOthers])
      } catch (error) {
        // What it tells of was taken back meanwhile.
        if (asLabError(error).code !== 'precondition-failed') throw error
      }
    }
  }

  const duePage = () =>
    db
      .selectFrom('booking_notice')
      .leftJoin('user', 'user.id', 'booking_notice.person_id')
      .leftJoin('person', 'person.id', 'booking_notice.person_id')
      .leftJoin('people_group', 'people_group.id', 'booking_notice.group_id')
      .select(['booking_notice.id', 'booking_id', 'what', 'at', 'detail', 'user.id as person_id'])
      .select(['group_id', 'people_group.name as group_name'])
      .select(['user.name', 'user.email', 'user.emailVerified', 'language', 'time_zone', 'booking_letters'])
      .where('letter', '=', 'due')
      .orderBy('booking_notice.id')
      .limit(AT_ONCE)
      .execute()
  type Due = Awaited<ReturnType<typeof duePage>>[number]

  const isWanted = ({ at, emailVerified, booking_letters }: Due): boolean =>
    mail.configured && emailVerified === 1 && booking_letters === 1 && clock.now() - at < STALE_MS

  const nameOf = async (id: string | undefined): Promise<string | undefined> =>
    id === undefined
      ? undefined
      : (await db.selectFrom('user').select('name').where('id', '=', id).executeTakeFirst())?.name

  const write = async (due: Due) => {
    const { booking_id, what, detail: text, person_id, group_id, name, email, language, time_zone } = due
    const detail = JSON.parse(text) as NoticeDetail
    const speaks = languageOf(language) ?? 'en'
    const { lab, startsAt, endsAt, places } = detail
    const wanted = { id: booking_id, personId: person_id ?? '', lab, startsAt, endsAt, places }
    // Where one bench was asked for and is gone, any other is as good; one that is broken may not be back soon.
    const free = await options.bookings.near(wanted, what === 'no-bench' ? clock.now() + SOON_MS : undefined)
    const title = labs.peek(lab)?.lab.title
    return bookingLetter({
      what,
      booking: booking_id,
      detail,
      lab: textIn(title, speaks) || lab,
      person: { name: name ?? '', email: email ?? '' },
      language: speaks,
      timeZone: time_zone ?? ownTimeZone(),
      by: await nameOf(detail.by),
      group: group_id === null ? undefined : (due.group_name ?? group_id),
      free,
      site,
      publicUrl: publicUrl(),
    })
  }

  const handOver = async (due: Due) => {
    const letter = await write(due)
    options.faultPoint?.('before-booking-letter')
    await mail.send({ ...letter, messageId: `<booking-notice-${due.id}@${new URL(publicUrl()).hostname}>` })
  }

  const send = async (due: Due): Promise<boolean> => {
    try {
      if (!handedOver.has(due.id)) await handOver(due)
    } catch (error) {
      notBefore = clock.monotonic() + AGAIN_MS
      const { message } = asLabError(error)
      losses.lost('letters', { error: message }, 'letters about bookings could not be sent; trying on')
      return false
    }
    losses.recovered('letters', {}, 'letters about bookings are taken again')
    handedOver.add(due.id)
    options.faultPoint?.('before-booking-letter-sent')
    // Its person may have put it away meanwhile, or closed the account.
    await store.write([db.updateTable('booking_notice').set({ letter: 'sent' }).where('id', '=', due.id)])
    handedOver.delete(due.id)
    options.faultPoint?.('after-booking-letter-sent')
    return true
  }

  const work = async () => {
    await spread()
    for (;;) {
      const page = await duePage()
      for (const due of page) {
        if (rounds.closed || clock.monotonic() < notBefore) return
        if (!handedOver.has(due.id) && !isWanted(due)) await store.write([leave(due.id, 'due')])
        else if (!(await send(due))) return
      }
      if (page.length < AT_ONCE) return
    }
  }

  const rounds = createRounds({
    work,
    everyMs: TICK_MS,
    onFailure: (error) =>
      log.error({ error: asLabError(error).message }, 'letters about bookings could not be written'),
    clock,
  })

  return {
    look: rounds.look,
    of: async (personId) => {
      const row = await db
        .selectFrom('person')
        .innerJoin('user', 'user.id', 'person.id')
        .select(['language', 'time_zone', 'booking_letters', 'emailVerified'])
        .where('person.id', '=', personId)
        .executeTakeFirst()
      const language = languageOf(row?.language ?? null)
      return {
        wanted: row?.booking_letters === 1,
        possible: mail.configured,
        confirmed: row?.emailVerified === 1,
        ...(language === undefined ? {} : { language }),
        ...(row?.time_zone == null ? {} : { timeZone: row.time_zone }),
      }
    },
    change: async (personId, { wanted, language, timeZone }) => {
      const set = {
        ...(wanted === undefined ? {} : { booking_letters: wanted ? 1 : 0 }),
        ...(language === undefined ? {} : { language }),
        ...(timeZone === undefined ? {} : { time_zone: timeZone }),
      }
      if (Object.keys(set).length > 0) await store.write([db.updateTable('person').set(set).where('id', '=', personId)])
    },
    close: rounds.close,
  }
}

const languageOf = (code: string | null): LetterLanguage | undefined => letterLanguages.find((known) => known === code)
