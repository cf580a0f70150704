import type { LateBecause, Outcome } from './tally.ts'

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`

const rows: readonly (readonly [string, (outcome: Outcome) => string])[] = [
  ['utilisation', ({ utilisation }) => `${(utilisation * 100).toFixed(1)} %`],
  ['runs served', ({ served, unserved }) => `${served}${unserved === 0 ? '' : `, ${unserved} not`}`],
  ['wait, mean', ({ waitS }) => duration(waitS.mean)],
  ['wait, median', ({ waitS }) => duration(waitS.p50)],
  ['wait, 95th percentile', ({ waitS }) => duration(waitS.p95)],
  ['wait, longest', ({ waitS }) => duration(waitS.max)],
  ['fairness (Jain)', ({ fairness }) => fairness.toFixed(3)],
  ['bookings begun', ({ bookings }) => String(bookings)],
  [
    'late bookings',
    ({ lateBookings, latestS }) => `${lateBookings}${lateBookings === 0 ? '' : `, by ${duration(latestS)} at most`}`,
  ],
  ['later than their grace', ({ beyondGrace, beyondGraceBecause }) => withCauses(beyondGrace, beyondGraceBecause)],
  ['never begun', ({ neverBegan }) => String(neverBegan)],
  ['bumped for bookings', ({ bumped }) => String(bumped)],
  ['benches failed', ({ failures }) => String(failures)],
  ['put back at the head', ({ putBack }) => String(putBack)],
  ['cut short by a failure', ({ cutShort }) => String(cutShort)],
]

const causes: Readonly<Record<LateBecause, string>> = {
  'no bench': 'no bench worked',
  held: 'in use, nobody may be bumped',
  'no cause': 'a bench was there',
}

function withCauses(count: number, because: Outcome['beyondGraceBecause']): string {
  const named = (Object.keys(causes) as LateBecause[]).filter((cause) => because[cause] > 0)
  return count === 0 ? '0' : `${count} (${named.map((cause) => `${because[cause]} ${causes[cause]}`).join(', ')})`
}

/** One column for each policy. */
export function asTable(load: Readonly<Record<string, number>>, outcomes: Readonly<Record<string, Outcome>>): string {
  const heads = Object.keys(outcomes)
  const cells = [
    ['', ...heads],
    ...rows.map(([title, of]) => [title, ...heads.map((head) => of(outcomes[head] as Outcome))]),
  ]
  const widths = ['', ...heads].map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)))
  const what = Object.entries(load).map(([name, count]) => `${count} ${name}`)
  const table = cells.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${what.join(', ')}\n\n${table.join('\n')}\n`
}
