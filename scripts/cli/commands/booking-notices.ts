import {
  type BookingNotice,
  bookingLettersSchema,
  bookingNoticeSchema,
  type ChangeBookingLetters,
  letterLanguages,
} from '@fernlab/shared/contracts/booking-notices'
import { type Command, Option } from 'commander'
import * as z from 'zod'
import { timeText } from '../booking-text.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'

interface LettersOptions extends HubOptions {
  readonly language?: (typeof letterLanguages)[number]
  readonly timeZone?: string
}

const listSchema = z.object({ items: z.array(bookingNoticeSchema) })

/** `booking notices`, `put-away`, `letters`: what others and benches did to one's bookings. */
export function addBookingNotices(booking: Command, context: Context): void {
  const { terminal } = context

  withHub(
    booking.command('notices').description('what staff or a bench did to your bookings, until you put it away'),
  ).action(async (options: HubOptions) => {
    const client = await openHub(context, options)
    const { items } = await client.call(listSchema, '/api/v1/bookings/notices')
    if (options.json) return terminal.out(JSON.stringify(items, null, 2))
    for (const notice of items) terminal.out(`${notice.id}  ${noticeText(notice)}`)
    if (items.length === 0) terminal.err('Nothing has changed.')
  })

  withHub(booking.command('put-away <notice>').description('put away a notice that you have read')).action(
    async (id: string, options: HubOptions) => {
      const path = `/api/v1/bookings/notices/${encodeURIComponent(id)}/put-away`
      await (await openHub(context, options)).fetch(path, { method: 'POST' })
      terminal.out(options.json ? JSON.stringify({ putAway: id }) : `notice ${id} is put away`)
    },
  )

  withHub(
    booking
      .command('letters [on-or-off]')
      .description('whether you get mail about what becomes of your bookings; on and off change it'),
  )
    .addOption(new Option('--language <language>', 'of the letters').choices([...letterLanguages]))
    .option('--time-zone <zone>', 'of the times in them, such as Europe/Madrid')
    .action(async (wanted: string | undefined, { language, timeZone, ...options }: LettersOptions) => {
      if (wanted !== undefined && wanted !== 'on' && wanted !== 'off')
        throw misspelt('on-or-off', `"${wanted}" is neither on nor off`, 'Such as "fernlab booking letters off".')
      const body: ChangeBookingLetters = {
        ...(wanted === undefined ? {} : { wanted: wanted === 'on' }),
        ...(language === undefined ? {} : { language }),
        ...(timeZone === undefined ? {} : { timeZone }),
      }
      const client = await openHub(context, options)
      const path = '/api/v1/me/booking-letters'
      const letters = await (Object.keys(body).length === 0
        ? client.call(bookingLettersSchema, path)
        : client.call(bookingLettersSchema, path, { method: 'PUT', body }))
      if (options.json) return terminal.out(JSON.stringify(letters, null, 2))
      const place = [letters.language, letters.timeZone].filter((part) => part !== undefined).join(', ')
      terminal.out(`letters about bookings: ${letters.wanted ? 'on' : 'off'}${place === '' ? '' : ` (${place})`}`)
      if (!letters.possible) terminal.err('The site has no mail server: none are sent.')
      else if (!letters.confirmed)
        terminal.err('Your address is not confirmed, so none are sent: see Account on the page.')
    })
}

function noticeText({ what, lab, start, before, times, by = 'the staff', reason }: BookingNotice): string {
  const why = reason === undefined ? '' : ` (${reason})`
  const when = timeText(start)
  switch (what) {
    case 'missed':
      return `${lab} ${when} was missed: nobody had come when the grace period was over`
    case 'broken':
      return `${lab} ${when} could not go on${why}`
    case 'not-permitted':
      return `${lab} ${when} was cancelled when it was to begin: no permission lets you use the lab any more; "fernlab booking limits ${lab}" says what you may`
    case 'no-bench':
      return `${lab} ${when} has no bench any more${why}`
    case 'bench-again':
      return `${lab} ${when} has a bench again`
    case 'moved':
      return `${by} moved ${lab}${before === undefined ? '' : ` from ${timeText(before.start)}`} to ${when}`
    case 'cancelled':
      return `${by} cancelled ${lab} ${when}`
    case 'series-cancelled':
      return `${by} cancelled ${times ?? 1} times of a weekly series of ${lab}, from ${when} on`
    case 'series-again':
      return `${by} booked ${times ?? 1} cancelled times of a weekly series of ${lab} again, from ${when} on`
  }
}
