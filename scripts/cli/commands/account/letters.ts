import { type Me, meSchema } from '@fernlab/shared/contracts/api'
import { benchLettersSchema } from '@fernlab/shared/contracts/bench-checks'
import { bookingLettersSchema, letterLanguages } from '@fernlab/shared/contracts/booking-notices'
import { Argument, type Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import type { HubClient } from '../../hub-client.ts'
import { printList } from '../../table.ts'

const paths = { bookings: '/api/v1/me/booking-letters', benches: '/api/v1/me/bench-letters' } as const
type About = keyof typeof paths

/** `account letters`, `language`. */
export function addLetters(account: Command, context: Context): void {
  const { terminal } = context

  withHub(account.command('letters').description('which letters you get; "letters bookings off" turns one kind off'))
    .addArgument(new Argument('[about]', 'which kind').choices(Object.keys(paths)))
    .addArgument(new Argument('[on-or-off]', 'get them, or none').choices(['on', 'off']))
    .action(async (about: About | undefined, wanted: 'on' | 'off' | undefined, options: HubOptions) => {
      const client = await openHub(context, options)
      if (about !== undefined && wanted !== undefined)
        await client.fetch(paths[about], { method: 'PUT', body: { wanted: wanted === 'on' } })
      printList(terminal, await lettersOf(client, about), {
        ...options,
        columns: {
          about: (kind) => kind.about,
          letters: (kind) => (kind.wanted ? 'on' : 'off'),
          now: (kind) => (kind.wanted ? (kind.hindrance ?? 'they come') : ''),
        },
        empty: 'There are no letters for you.',
      })
    })

  withHub(
    account.command('language').description('the language of your letters and pages, and the time zone in letters'),
  )
    .addArgument(new Argument('[language]', 'another one').choices([...letterLanguages]))
    .option('--time-zone <zone>', 'such as Europe/Madrid')
    .action(async (language: string | undefined, { timeZone, ...options }: HubOptions & { timeZone?: string }) => {
      const client = await openHub(context, options)
      const body = { ...(language === undefined ? {} : { language }), ...(timeZone === undefined ? {} : { timeZone }) }
      const change = Object.keys(body).length === 0 ? {} : { method: 'PUT' as const, body }
      const now = await client.call(bookingLettersSchema, paths.bookings, change)
      const said = { language: now.language ?? null, timeZone: now.timeZone ?? null }
      if (options.json) return terminal.out(JSON.stringify(said, null, 2))
      terminal.out(`language: ${now.language ?? 'as your browser says'}`)
      terminal.out(`time zone: ${now.timeZone ?? 'that of the hub'}`)
    })
}

interface Kind {
  readonly about: About
  readonly wanted: boolean
  /** Why none come although they are wanted. */
  readonly hindrance?: string
}

const noMail = 'none come: the site has no mail server'
const notConfirmed = 'none come before your address is confirmed: fernlab account address'

async function lettersOf(client: HubClient, about: About | undefined): Promise<Kind[]> {
  const kinds: Kind[] = []
  if (about !== 'benches') {
    const { wanted, possible, confirmed } = await client.call(bookingLettersSchema, paths.bookings)
    const hindrance = possible ? (confirmed ? undefined : notConfirmed) : noMail
    kinds.push({ about: 'bookings', wanted, ...(hindrance === undefined ? {} : { hindrance }) })
  }
  if (about === 'benches' || (about === undefined && hasBenches(await client.call(meSchema, '/api/v1/me')))) {
    const { wanted, possible } = await client.call(benchLettersSchema, paths.benches)
    kinds.push({ about: 'benches', wanted, ...(possible ? {} : { hindrance: noMail }) })
  }
  return kinds
}

/** Those who look after benches are told of them. */
const hasBenches = ({ role }: Me): boolean => role !== 'student' && role !== 'guest'
