import {
  type CountrySource,
  type CourseUsage,
  courseUsageSchema,
  type SiteUsage,
  similarSchema,
  siteUsageSchema,
  timelineSchema,
  type UseDetail,
  type UserOf,
  useDetailSchema,
  useSchema,
} from '@fernlab/shared/contracts/usage'
import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { type Command, Option } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { counted } from '../counted.ts'
import { filterQuery, listNumber } from '../filter-query.ts'
import { misspelt } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList, tableLines } from '../table.ts'
import { addUsageDirect } from './usage-direct.ts'

interface PeriodOptions extends HubOptions {
  readonly from?: string
  readonly to?: string
  readonly timeZone?: string
}
interface CourseOptions extends PeriodOptions {
  readonly csv?: boolean
  readonly hours?: boolean
  readonly lab?: string
  readonly notDone?: boolean
}
interface UsesOptions extends HubOptions {
  readonly course?: string
  readonly person?: string
  readonly lab?: string
  readonly bench?: string
  readonly state?: string
  readonly country?: string
  readonly from?: string
  readonly to?: string
  readonly number: string
  readonly csv?: boolean
}

const siteTables = ['benches', 'labs', 'waits', 'countries', 'hours'] as const

/** `usage`: who used what, when and for how long. */
export function addUsage(program: Command, context: Context): void {
  const { terminal } = context
  const usage = program.command('usage').description('who used what, when and for how long')
  const uses = '/api/v1/usage/uses'

  const print = async (options: HubOptions, path: string) =>
    terminal.out((await (await (await openHub(context, options)).fetch(path)).text()).trimEnd())

  withHub(
    usage.command('uses').description('runs and sessions, newest first: yours, and of whom you teach; for admins all'),
  )
    .option('--course <course>', 'of the people in this group or within it')
    .option('--person <person>', 'of this person, by id or mail address')
    .option('--lab <lab>', 'of this lab')
    .option('--bench <bench>', 'on this bench')
    .option('--state <state>', 'that are, or ended, so')
    .option('--country <country>', 'from there: two capital letters, site or unknown')
    .option('--from <time>', 'asked for from this time on, such as 2027-02-01')
    .option('--to <time>', 'asked for before this time')
    .option('-n, --number <number>', 'how many', '50')
    .option('--csv', 'all that fit, as CSV')
    .action(async (options: UsesOptions) => {
      const query = filterQuery(options, ['course', 'person', 'lab', 'bench', 'state', 'country'])
      const limit = listNumber(options.number)
      if (options.csv === true) return print(options, `${uses}.csv?${query}`)
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, useSchema, uses, { query, limit }), {
        ...options,
        columns: {
          use: ({ id }) => id,
          'asked for': ({ askedAt }) => cellTime(askedAt),
          who: ({ person }) => nameOf(person),
          lab: ({ lab, session, protocol }) => (session ? `${lab}, live` : `${lab}, ${protocol}`),
          bench: ({ bench }) => bench ?? '',
          'waited, s': ({ waitS }) => Math.round(waitS),
          'lasted, s': ({ lastsS }) => (lastsS === undefined ? '' : Math.round(lastsS)),
          state: ({ state }) => state,
          from: ({ address, country }) => [address, country].filter((part) => part !== undefined).join(' '),
        },
        empty: 'Nobody used anything, or nothing fits.',
      })
    })

  withHub(
    usage.command('use <id>').description('one use: what was commanded in it, what it gave, and who took its results'),
  )
    .addOption(new Option('--csv <table>', 'all of one of these as CSV').choices(['commands', 'files']))
    .action(async (id: string, options: HubOptions & { csv?: string }) => {
      const path = `${uses}/${encodeURIComponent(id)}`
      if (options.csv !== undefined) return print(options, `${path}/${options.csv}.csv`)
      const use = await (await openHub(context, options)).call(useDetailSchema, path)
      terminal.out(options.json ? JSON.stringify(use, null, 2) : inWords(use))
    })

  addUsageDirect(usage, context)

  const courseView = (name: string, description: string) =>
    withPeriod(withHub(usage.command(`${name} <course>`).description(description))).option('--csv', 'as CSV')
  const pathOf = (course: string, rest = '') => `/api/v1/usage/courses/${encodeURIComponent(course)}${rest}`

  courseView('course', 'who of a course did what; for who teaches it')
    .option('--hours', 'with --csv: bench time by weekday and hour')
    .option('--lab <lab>', 'what they did in this lab alone')
    .option('--not-done', 'only who has not done it yet: no use that ended well')
    .action(async (course: string, options: CourseOptions) => {
      const query = periodQuery(options)
      if (options.csv === true) {
        if (options.lab !== undefined || options.notDone === true) {
          throw misspelt('csv', '--csv has everybody and all labs', 'Leave out --lab and --not-done, or take --json.')
        }
        return print(options, `${pathOf(course, options.hours ? '/hours.csv' : '/people.csv')}?${query}`)
      }
      const found = await (await openHub(context, options)).call(courseUsageSchema, `${pathOf(course)}?${query}`)
      const everybody = found.people.map((person) => inLab(person, options.lab))
      const people = options.notDone === true ? everybody.filter((person) => !isDone(person)) : everybody
      if (options.json) return terminal.out(JSON.stringify({ ...found, people }, null, 2))
      printList(terminal, people, {
        columns: {
          who: ({ person }) => nameOf(person),
          mail: ({ email }) => email,
          uses: ({ uses: count }) => count,
          done: (person) => (isDone(person) ? 'yes' : 'no'),
          'bench time, min': ({ seconds }) => Math.round(seconds / 6) / 10,
          last: ({ lastAt }) => cellTime(lastAt) ?? 'never',
          labs: ({ labs }) => labs.map(({ lab, uses: count }) => `${lab} ${count}`).join(', '),
        },
        empty: everybody.length > 0 ? 'Everybody has done it.' : 'Nobody is in this course yet.',
      })
    })

  courseView('timeline', 'which uses of a course were on which bench when; for who teaches it').action(
    async (course: string, options: PeriodOptions & { csv?: boolean }) => {
      const query = periodQuery(options)
      if (options.csv === true) return print(options, `${pathOf(course, '/timeline.csv')}?${query}`)
      const found = await (await openHub(context, options)).call(
        timelineSchema,
        `${pathOf(course, '/timeline')}?${query}`,
      )
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      printList(
        terminal,
        found.benches.flatMap(({ bench, uses: bars, direct }) => [
          ...bars.map((bar) => ({ bench, ...bar })),
          ...direct.map((bar) => ({ bench, ...bar, lab: 'by hand', state: '' })),
        ]),
        {
          columns: {
            bench: ({ bench }) => bench,
            from: ({ from }) => cellTime(from),
            until: ({ until }) => cellTime(until) ?? 'now',
            who: ({ person }) => (person === undefined ? 'the staff' : nameOf(person)),
            lab: ({ lab }) => lab,
            state: ({ state }) => state,
          },
          empty: 'Nobody of this course was on a bench then.',
        },
      )
    },
  )

  courseView('similar', 'the same chosen parameters by different people, near in time: hints, no proof')
    .option('--within <hours>', 'how near in time counts', '24')
    .action(async (course: string, options: PeriodOptions & { csv?: boolean; within: string }) => {
      const query = periodQuery(options)
      query.set('withinHours', options.within)
      if (options.csv === true) return print(options, `${pathOf(course, '/similar.csv')}?${query}`)
      const found = await (await openHub(context, options)).call(
        similarSchema,
        `${pathOf(course, '/similar')}?${query}`,
      )
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      printList(terminal, found.hints, {
        columns: {
          lab: ({ lab, protocol }) => `${lab}, ${protocol}`,
          chosen: ({ chosen }) =>
            Object.entries(chosen)
              .map(([name, value]) => `${name} = ${value}`)
              .join(', '),
          who: ({ uses: alike }) => [...new Set(alike.map(({ person }) => nameOf(person)))].join(', '),
          'apart, min': ({ apartS }) => Math.round(apartS / 6) / 10,
        },
        empty: 'Nothing stands out.',
      })
    })

  withPeriod(
    withHub(
      usage
        .command('site')
        .description('how much of the benches was used, how long people waited, from where; for admins'),
    ),
  )
    .addOption(new Option('--csv <table>', 'one of the tables as CSV').choices(siteTables))
    .action(async (options: PeriodOptions & { csv?: (typeof siteTables)[number] }) => {
      const query = periodQuery(options)
      if (options.csv !== undefined) return print(options, `/api/v1/usage/site/${options.csv}.csv?${query}`)
      const found = await (await openHub(context, options)).call(siteUsageSchema, `/api/v1/usage/site?${query}`)
      terminal.out(options.json ? JSON.stringify(found, null, 2) : siteInWords(found))
    })
}

function withPeriod(command: Command): Command {
  return command
    .option('--from <time>', 'from this time on, such as 2027-02-01; 30 days before the end unless given')
    .option('--to <time>', 'before this time; now unless given')
    .option('--time-zone <zone>', "whose hours and weekdays; this machine's unless given")
}

type CoursePerson = CourseUsage['people'][number]

const isDone = ({ labs }: CoursePerson): boolean => labs.some(({ succeeded }) => succeeded > 0)

/** What they did in one lab, or in all. */
function inLab(person: CoursePerson, lab: string | undefined): CoursePerson {
  if (lab === undefined) return person
  const labs = person.labs.filter((one) => one.lab === lab)
  const [found] = labs
  return { ...person, labs, uses: found?.uses ?? 0, seconds: found?.seconds ?? 0, lastAt: found?.lastAt }
}

const periodQuery = (options: PeriodOptions) =>
  filterQuery({ ...options, timeZone: options.timeZone ?? ownTimeZone() }, ['timeZone'])

const nameOf = ({ id, name }: UserOf) => (name === '' ? id : name)

function inWords(use: UseDetail): string {
  const { person, lab, protocol, session, bench, askedAt, startedAt, endedAt, state, address, country } = use
  const lines = [
    `${nameOf(person)}: ${lab}, ${session ? 'live session' : protocol}${bench === null ? '' : ` on ${bench}`}`,
    `asked for ${spokenTime(askedAt)}${[address, country].map((part) => (part === undefined ? '' : ` from ${part}`)).join(',')}`,
    `started ${startedAt ? spokenTime(startedAt) : 'not yet'}, ended ${endedAt ? spokenTime(endedAt) : 'not yet'}, ${state}${use.reason === undefined ? '' : `: ${use.reason}`}`,
    `waited ${Math.round(use.waitS)} s${use.lastsS === undefined ? '' : `, lasted ${Math.round(use.lastsS)} s`}`,
    ...Object.entries(use.parameters).map(([name, value]) => `  ${name} = ${value}`),
    ...tableLines(use.given, {
      at: ({ at }) => cellTime(at),
      who: ({ by }) => nameOf(by),
      command: ({ what, target, value }) => `${what} ${target}${what === 'read' ? ':' : ' ='} ${value}`,
      outcome: ({ outcome }) => outcome,
    }),
    ...(use.moreGiven ? ['… all of them with --csv commands'] : []),
    ...Object.entries(use.outputs).map(([name, { value, unit, uncertainty }]) =>
      `  ${name}: ${value}${uncertainty === undefined ? '' : ` ± ${uncertainty}`} ${unit}`.trimEnd(),
    ),
    ...Object.entries(use.rows).map(([stream, count]) => `  ${stream}: ${count} rows`),
    ...use.taken.map(({ at, by, what }) => `${spokenTime(at)} ${nameOf(by)} took ${what}`),
    ...(use.moreTaken ? ['… all of them with --csv files'] : []),
  ]
  return lines.join('\n')
}

const percent = (share: number | null) => (share === null ? '–' : `${Math.round(share * 1000) / 10} %`)
/** To a tenth; less than an hour with two digits that count, so that a little is not nothing. */
const hoursOf = (seconds: number) =>
  seconds < 3600 ? Number((seconds / 3600).toPrecision(2)) : Math.round(seconds / 360) / 10

const countryNames = new Intl.DisplayNames('en', { type: 'region' })
const countryOf = (code: string | undefined) =>
  code === undefined ? 'unknown' : code === 'site' ? 'the site’s network' : (countryNames.of(code) ?? code)

function countriesInWords({ database, builtAt, problem }: CountrySource): string {
  if (problem !== undefined) return `countries are missing or out of date: ${problem}`
  if (database === undefined) return 'countries are looked up where FERNLAB_COUNTRY_DB names a database of them'
  return `countries by ${database} of ${builtAt?.slice(0, 10)}`
}

function siteInWords({ uses, people, seconds, directS, benches, labs, countries, countrySource }: SiteUsage): string {
  return [
    `${counted(uses, 'use', 'uses')} by ${counted(people, 'person', 'people')}, ${hoursOf(seconds)} h on benches${directS === 0 ? '' : `; ${hoursOf(directS)} h driven by hand`}`,
    '',
    ...tableLines(benches, {
      bench: ({ bench }) => bench,
      uses: ({ uses: count }) => count,
      'used, h': ({ seconds: used }) => hoursOf(used),
      'by hand, h': ({ directS: driven }) => hoursOf(driven),
      'open, h': ({ openS }) => hoursOf(openS),
      share: ({ share }) => percent(share),
    }),
    '',
    ...tableLines(labs, {
      lab: ({ lab }) => lab,
      uses: ({ uses: count }) => count,
      people: ({ people: who }) => who,
      'used, h': ({ seconds: used }) => hoursOf(used),
      share: ({ share }) => percent(share),
      'waited, median s': ({ wait }) => (wait === undefined ? '' : Math.round(wait.medianS)),
      '95 % s': ({ wait }) => (wait === undefined ? '' : Math.round(wait.p95S)),
    }),
    '',
    ...tableLines(countries, {
      country: ({ country }) => countryOf(country),
      uses: ({ uses: count }) => count,
      people: ({ people: who }) => who,
    }),
    countriesInWords(countrySource),
  ].join('\n')
}
