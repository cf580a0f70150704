/** `npm run simulate`: a generated term, or what a hub recorded, against the scheduler and against strict first come. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { isTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import { reportFailure } from '@fernlab/shared/programs/report-failure'
import { fernlab, firstCome } from './policies.ts'
import { recordedLoad } from './recorded-load.ts'
import { asTable } from './report.ts'
import { simulate } from './simulate.ts'
import { generateLoad, type LoadShape, term } from './term-load.ts'

const numbers = {
  weeks: 'weeks',
  benches: 'benches',
  labs: 'labs',
  people: 'people',
  seed: 'seed',
  overruns: 'overruns',
  bumpable: 'bumpable',
  fails: 'fails',
  repair: 'repair',
  maintained: 'maintained',
} as const satisfies Record<string, keyof LoadShape>

async function main(): Promise<void> {
  const { values } = readArguments(
    {
      options: {
        ...(Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }])) as Record<
          keyof typeof numbers,
          { type: 'string' }
        >),
        load: { type: 'string' },
        nights: { type: 'boolean', default: false },
        zone: { type: 'string' },
        begins: { type: 'string' },
        database: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    },
    '[--weeks N] [--benches N] [--labs N] [--people N] [--seed N] [--overruns PERCENT] [--bumpable PERCENT] [--load PERCENT] [--fails HOURS] [--repair MINUTES] [--maintained HOURS] [--nights] [--zone NAME] [--begins DATE] [--database FILE] [--json]',
  )
  const shape: LoadShape = {
    ...loaded(values.load),
    ...Object.fromEntries(Object.keys(numbers).flatMap((name) => given(name, values))),
    ...(values.nights ? { closed: 'nights' } : {}),
    ...(values.zone === undefined ? {} : { timeZone: zoneOf(values.zone) }),
    ...(values.begins === undefined ? {} : { begins: mondayOf(values.begins) }),
  }
  const load = values.database === undefined ? generateLoad(shape) : await recordedLoad(values.database)
  const outcomes = { fernlab: simulate(load, fernlab(load)), 'strict first come': simulate(load, firstCome(load)) }
  const of = {
    benches: load.benches.size,
    runs: load.arrivals.length,
    bookings: load.bookings.length,
    failures: load.failures?.length ?? 0,
  }
  process.stdout.write(values.json ? `${JSON.stringify({ load: of, outcomes }, null, 1)}\n` : asTable(of, outcomes))
}

/** A term with so much of the usual coming. */
function loaded(percent: unknown): LoadShape {
  const share = (given('load', { load: percent })[0]?.[1] ?? 100) / 100
  return { ...term, queued: term.queued * share, booked: term.booked * share }
}

function given(name: string, values: Readonly<Record<string, unknown>>): [string, number][] {
  const text = values[name]
  if (text === undefined) return []
  if (typeof text === 'string' && /^[1-9]\d{0,5}$/.test(text)) return [[name, Number(text)]]
  throw refusal(`--${name} is ${JSON.stringify(text)}; it may be a whole number from 1 to 999999`)
}

function zoneOf(name: string): string {
  if (isTimeZone(name)) return name
  throw refusal(`--zone is ${JSON.stringify(name)}; it may be the name of a time zone, such as Europe/Madrid`)
}

/** Whole weeks begin on Mondays. */
function mondayOf(date: string): string {
  const at = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(date) : Number.NaN
  if (new Date(at).getUTCDay() === 1) return date
  throw refusal(`--begins is ${JSON.stringify(date)}; it may be a Monday, such as 2026-03-02`)
}

const refusal = (message: string) => new LabError({ code: 'bad-argument', kind: 'caller', message })

try {
  await main()
} catch (error) {
  reportFailure(error)
  process.exitCode = 1
}
