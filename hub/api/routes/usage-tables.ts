/** The views of usage as lines of a table, each with a header; names of columns carry their units. */
import { weekdays } from '@fernlab/shared/contracts/bench-care'
import type { DirectExchange, DirectUse } from '@fernlab/shared/contracts/direct-use'
import type { CourseUsage, Similar, SiteUsage, Timeline, Use, UseDetail } from '@fernlab/shared/contracts/usage'

type Line = (string | number | null | undefined)[]

export async function* uses(first: IteratorResult<Use, void>, rest: AsyncGenerator<Use, void>): AsyncGenerator<Line> {
  yield [
    ...['use', 'person', 'name', 'lab', 'protocol', 'session', 'bench', 'address', 'country', 'asked_at', 'started_at'],
    ...['ended_at', 'wait_s', 'lasts_s', 'state', 'commands', 'downloads'],
  ]
  if (first.done) return
  yield lineOf(first.value)
  for await (const use of rest) yield lineOf(use)
}

const lineOf = (use: Use): Line => [
  ...[use.id, use.person.id, use.person.name, use.lab, use.protocol, use.session ? 'yes' : 'no', use.bench],
  ...[use.address, use.country, use.askedAt, use.startedAt, use.endedAt, use.waitS, use.lastsS, use.state],
  ...[use.commands, use.downloads],
]

export async function* commands(given: AsyncIterable<UseDetail['given'][number]>): AsyncGenerator<Line> {
  yield ['at', 'person', 'name', 'what', 'target', 'value', 'outcome']
  for await (const { at, by, what, target, value, outcome } of given) {
    yield [at, by.id, by.name, what, target, value, outcome]
  }
}

export async function* files(taken: AsyncIterable<UseDetail['taken'][number]>): AsyncGenerator<Line> {
  yield ['at', 'person', 'name', 'file']
  for await (const { at, by, what } of taken) yield [at, by.id, by.name, what]
}

export async function* direct(
  first: IteratorResult<DirectUse, void>,
  rest: AsyncGenerator<DirectUse, void>,
): AsyncGenerator<Line> {
  yield [
    ...['use', 'person', 'name', 'bench', 'address', 'country', 'started_at', 'ended_at', 'lasts_s', 'ended'],
    'exchanges',
  ]
  if (first.done) return
  yield directLine(first.value)
  for await (const use of rest) yield directLine(use)
}

const directLine = (use: DirectUse): Line => [
  ...[use.id, use.person.id, use.person.name, use.bench, use.address, use.country, use.startedAt, use.endedAt],
  ...[use.lastsS, use.ended, use.exchanges],
]

export async function* exchanges(given: AsyncIterable<DirectExchange>): AsyncGenerator<Line> {
  yield ['at', 'set', 'read', 'answer', 'error', 'took_ms', 'way', 'address']
  for await (const { at, way, address, set, read, answer, error, tookMs } of given) {
    const came = answer === undefined ? '' : JSON.stringify(answer)
    yield [at, JSON.stringify(set), read.join(' '), came, error, tookMs, way, address]
  }
}

/** One line for each person and lab; one without a lab for who did nothing. */
export function* people(found: CourseUsage['people']): Generator<Line> {
  yield ['person', 'name', 'lab', 'uses', 'seconds', 'last_at', 'last_state', 'succeeded', 'email']
  for (const { person, email, labs } of found) {
    if (labs.length === 0) yield [person.id, person.name, '', 0, 0, '', '', 0, email]
    for (const { lab, uses: count, seconds, lastAt, lastState, succeeded } of labs) {
      yield [person.id, person.name, lab, count, seconds, lastAt, lastState, succeeded, email]
    }
  }
}

export function* hours(found: CourseUsage['hours']): Generator<Line> {
  yield ['weekday', ...(found[0]?.map((_, hour) => `${hour}h_s`) ?? [])]
  for (const [day, row] of found.entries()) yield [weekdays[day], ...row]
}

export function* timeline(benches: Timeline['benches']): Generator<Line> {
  yield ['bench', 'use', 'person', 'name', 'lab', 'from', 'until', 'state']
  for (const { bench, uses: bars, direct: byHand } of benches) {
    for (const { id, person, lab, from, until, state } of bars) {
      yield [bench, id, person.id, person.name, lab, from, until, state]
    }
    for (const { id, person, from, until } of byHand) {
      yield [bench, id, person?.id, person?.name, '', from, until, 'direct use']
    }
  }
}

/** Lines with the same number in the first column belong together. */
export function* similar(hints: Similar['hints']): Generator<Line> {
  yield ['hint', 'lab', 'protocol', 'parameters', 'apart_s', 'use', 'person', 'name', 'at']
  for (const [number, { lab, protocol, chosen, uses: alike, apartS }] of hints.entries()) {
    for (const { id, person, at } of alike) {
      yield [number + 1, lab, protocol, JSON.stringify(chosen), apartS, id, person.id, person.name, at]
    }
  }
}

/** The views of the site by the names of their files. */
export const site: Readonly<Record<string, (found: SiteUsage) => Iterable<Line>>> = {
  benches: function* ({ benches }) {
    yield ['bench', 'uses', 'used_s', 'open_s', 'share', 'direct_s']
    for (const { bench, uses: count, seconds, openS, share, directS } of benches) {
      yield [bench, count, seconds, openS, share, directS]
    }
  },
  labs: function* ({ labs }) {
    yield ['lab', 'uses', 'people', 'used_s', 'open_s', 'share', 'wait_median_s', 'wait_p95_s']
    for (const { lab, uses: count, people: who, seconds, openS, share, wait } of labs) {
      yield [lab, count, who, seconds, openS, share, wait?.medianS, wait?.p95S]
    }
  },
  waits: function* ({ waits }) {
    yield ['hour', 'uses', 'median_s', 'p95_s']
    for (const { hour, uses: count, medianS, p95S } of waits) yield [hour, count, medianS, p95S]
  },
  countries: function* ({ countries }) {
    yield ['country', 'uses', 'people']
    for (const { country, uses: count, people: who } of countries) yield [country ?? 'unknown', count, who]
  },
  hours: function* ({ hours: found }) {
    yield* hours(found)
  },
}
