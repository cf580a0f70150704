import type { Outcome } from './simulate.ts'

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)} min`

const rows: readonly (readonly [string, (outcome: Outcome) => string])[] = [
  ['utilisation', ({ utilisation }) => `${(utilisation * 100).toFixed(1)} %`],
  ['runs served', ({ served }) => String(served)],
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
]

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
