/** `npm run simulate`: a generated term, or what a hub recorded, against the scheduler and against strict first come. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import { reportFailure } from '@fernlab/shared/programs/report-failure'
import { generateLoad, type LoadShape, term } from './load.ts'
import { fernlab, firstCome } from './policies.ts'
import { recordedLoad } from './recorded-load.ts'
import { asTable } from './report.ts'
import { simulate } from './simulate.ts'

const numbers = {
  weeks: 'weeks',
  benches: 'benches',
  labs: 'labs',
  people: 'people',
  seed: 'seed',
} as const satisfies Record<string, keyof LoadShape>

async function main(): Promise<void> {
  const { values } = readArguments(
    {
      options: {
        ...(Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }])) as Record<
          keyof typeof numbers,
          { type: 'string' }
        >),
        database: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    },
    '[--weeks N] [--benches N] [--labs N] [--people N] [--seed N] [--database FILE] [--json]',
  )
  const shape: LoadShape = {
    ...term,
    ...Object.fromEntries(Object.keys(numbers).flatMap((name) => given(name, values))),
  }
  const load = values.database === undefined ? generateLoad(shape) : await recordedLoad(values.database)
  const outcomes = { fernlab: simulate(load, fernlab(load)), 'strict first come': simulate(load, firstCome(load)) }
  const of = { benches: load.benches.size, runs: load.arrivals.length, bookings: load.bookings.length }
  process.stdout.write(values.json ? `${JSON.stringify({ load: of, outcomes }, null, 1)}\n` : asTable(of, outcomes))
}

function given(name: string, values: Readonly<Record<string, unknown>>): [string, number][] {
  const text = values[name]
  if (text === undefined) return []
  if (typeof text === 'string' && /^[1-9]\d{0,5}$/.test(text)) return [[name, Number(text)]]
  const message = `--${name} is ${JSON.stringify(text)}; it may be a whole number from 1 to 999999`
  throw new LabError({ code: 'bad-argument', kind: 'caller', message })
}

try {
  await main()
} catch (error) {
  reportFailure(error)
  process.exitCode = 1
}
