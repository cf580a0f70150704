import { BenchUse } from '@fernlab/hub/permissions/bench-use'
import { type BookingToCome, createStandings } from '@fernlab/hub/permissions/standings'
import type { Terms } from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what somebody may, at hand')
const start = Date.UTC(2026, 10, 24, 12)

interface Row {
  readonly gives?: Partial<Terms>
  readonly starts_at?: number
  readonly ends_at?: number
  readonly subject_kind?: string
  readonly subject?: string
}

function stage(given: readonly Row[]) {
  let rows = given
  let reads = 0
  let direct: string[] = []
  const clock = new ManualClock(start)
  const use = new BenchUse()
  const changes: ((personId?: string) => void)[] = []
  const table = {
    execute: async () => {
      reads++
      return rows.map(({ gives, ...row }, at) => ({
        id: `p${at}`,
        subject_kind: 'everyone',
        subject: '',
        lab: null,
        protocols: null,
        starts_at: null,
        ends_at: null,
        ...row,
        gives: JSON.stringify({ ...usualTerms, ...gives }),
      }))
    },
  }
  const toCome: BookingToCome[] = []
  const standings = createStandings({
    store: { db: { selectFrom: () => ({ selectAll: () => table }) } } as never,
    groups: {
      of: async () => ({ at: () => new Set(direct), changesAt: [] }),
      onChange: (listener) => {
        changes.push(listener)
        return () => {}
      },
    },
    permissions: { onChange: (listener) => void changes.push(listener) },
    use,
    toCome: () => toCome,
    clock,
  })
  const of = (role: 'student' | 'admin' | 'guest' = 'student') => standings.of({ personId: 'p', role }, 'rc')
  return {
    clock,
    use,
    toCome,
    of,
    reads: () => reads,
    change: (next: readonly Row[], groups: string[] = []) => {
      rows = next
      direct = groups
      for (const changed of changes) changed()
    },
  }
}

function code(call: () => void): string {
  try {
    call()
  } catch (error) {
    assert.instance(error, LabError)
    return (error as LabError).code
  }
  return 'none'
}

test('of any number who claim the last place at once, one gets it', async () => {
  for (let round = 0; round < 1000; round++) {
    const { of, use } = stage([{ gives: { mostOpen: 3 } }])
    for (const id of ['a', 'b']) use.opened({ id, personId: 'p', lab: { id: 'rc' }, estimatedS: 1 })
    const standing = await of()
    const claims = Array.from({ length: 200 }, async (_, at) => {
      await Promise.resolve()
      standing.requirePlace('x', 1)
      use.opened({ id: `c${at}`, personId: 'p', lab: { id: 'rc' }, estimatedS: 1 })
    })
    const won = (await Promise.allSettled(claims)).filter(({ status }) => status === 'fulfilled')
    assert.is(won.length, 1)
  }
})

test('bookings to come count as places, and the refusal says what could be cancelled', async () => {
  const { of, use, toCome } = stage([{ gives: { mostOpen: 2 } }])
  const standing = await of()
  toCome.push({ id: 'b', startsAt: 0, endsAt: 1000, cleanUpMs: 0 })
  standing.requirePlace('x', 1)
  use.opened({ id: 'a', personId: 'p', lab: { id: 'rc' }, estimatedS: 1 })
  try {
    standing.requirePlace('x', 1)
    assert.unreachable()
  } catch (error) {
    const { code, issues, studentMessage } = error as LabError
    assert.equal(
      [code, ...issues.map(({ message }) => message)],
      ['reservations-full', 'cancel run a to make room', 'cancel booking b from 1970-01-01T00:00:00.000Z to make room'],
    )
    assert.match(studentMessage, 'Cancel a run, or the booking of 1970-01-01T00:00:00.000Z')
  }
  toCome.pop()
  standing.requirePlace('x', 1)
})

test('quotas count what was used, what is open and what is asked for', async () => {
  const { of, use, clock } = stage([{ gives: { dayS: 100, weekS: 150 } }])
  const standing = await of()
  use.spent({ personId: 'p', lab: 'rc', heldMs: 50_000, runningMs: 50_000, endedAtMs: clock.now() - 86_400_000 })
  use.spent({ personId: 'p', lab: 'rc', heldMs: 40_000, runningMs: 40_000, endedAtMs: clock.now() })
  assert.is(
    code(() => standing.requirePlace('x', 60)),
    'none',
  )
  assert.is(
    code(() => standing.requirePlace('x', 61)),
    'quota-used',
  )
  use.opened({ id: 'a', personId: 'p', lab: { id: 'rc' }, estimatedS: 55 })
  assert.is(
    code(() => standing.requirePlace('x', 6)),
    'quota-used',
  )
  await clock.advance(86_400_000)
  assert.is(
    code(() => standing.requirePlace('x', 6)),
    'quota-used',
    'the week is used up',
  )
  await clock.advance(6 * 86_400_000)
  assert.is(
    code(() => standing.requirePlace('x', 6)),
    'none',
  )
})

test('bookings to come count on the day and in the week in which they end, with their clean-up', async () => {
  const { of, toCome, clock } = stage([{ gives: { dayS: 100, weekS: 150 } }])
  const standing = await of()
  const tomorrow = start + 86_400_000
  toCome.push({ id: 'a', startsAt: start + 3_600_000, endsAt: start + 3_640_000, cleanUpMs: 10_000 })
  toCome.push({ id: 'b', startsAt: tomorrow, endsAt: tomorrow + 60_000, cleanUpMs: 0 })
  assert.equal(standing.taken(start, false), { dayS: 50, weekS: 110 })
  assert.equal(standing.taken(start, false, 'a'), { dayS: 0, weekS: 60 })
  assert.equal(standing.taken(tomorrow, false), { dayS: 60, weekS: 110 })
  assert.equal(standing.taken(start + 7 * 86_400_000, false), { dayS: 0, weekS: 0 })
  assert.is(
    code(() => standing.requirePlace('x', 40)),
    'none',
  )
  assert.is(
    code(() => standing.requirePlace('x', 41)),
    'quota-used',
    'the week is booked up',
  )
  toCome.pop()
  assert.is(
    code(() => standing.requirePlace('x', 51)),
    'quota-used',
    'the day is booked up',
  )
  await clock.advance(1)
  assert.is(
    code(() => standing.requireLonger('x', 51)),
    'quota-used',
  )
})

test('what is open and was made longer counts for that much more', async () => {
  const { of, use } = stage([{ gives: { dayS: 100 } }])
  const standing = await of()
  const run = { id: 'a', personId: 'p', lab: { id: 'rc' } }
  use.opened({ ...run, estimatedS: 30 })
  standing.requireLonger('x', 70)
  use.expect({ ...run, estimatedS: 90 })
  assert.is(
    code(() => standing.requireLonger('x', 11)),
    'quota-used',
  )
  use.closed({ ...run, estimatedS: 30 })
  assert.is(standing.used(false).dayS, 0)
})

test('what holds at another time is known beforehand', async () => {
  const { of } = stage([{ starts_at: start + 100, ends_at: start + 200 }])
  const standing = await of()
  const may = [start, start + 100, start + 199, start + 200].map((at) => standing.effective('x', at).gives.mayBook)
  assert.equal(may, [false, true, true, false])
})

test('a quota of nothing lets nothing pass', async () => {
  for (const gives of [{ dayS: 0 }, { weekS: 0 }, { mostOpen: 0 }]) {
    const standing = await stage([{ gives }]).of()
    assert.is.not(
      code(() => standing.requirePlace('x', 1)),
      'none',
    )
  }
})

test('a permission that ends or begins counts from that moment, without being asked for again', async () => {
  const { of, clock, reads } = stage([
    { starts_at: start + 100, ends_at: start + 200 },
    { subject_kind: 'role', subject: 'student', starts_at: start + 300 },
  ])
  const may = async () => code(() => standing.requirePlace('x', 1)) === 'none'
  const standing = await of()
  const seen: boolean[] = []
  for (const ms of [99, 1, 99, 1, 99, 1]) {
    await clock.advance(ms)
    seen.push(await may())
  }
  assert.equal(seen, [false, true, true, false, false, true])
  clock.jump(-150)
  assert.is(await may(), true, 'the clock went back into the first')
  assert.is(reads(), 1)
})

test('a change of permissions or groups counts at once', async () => {
  const { of, change, reads } = stage([])
  assert.is(code((await of()).requirePlace.bind(null, 'x', 1)), 'not-permitted')
  await of()
  assert.is(reads(), 1)
  change([{ subject_kind: 'group', subject: 'optics' }])
  assert.is(code((await of()).requirePlace.bind(null, 'x', 1)), 'not-permitted')
  change([{ subject_kind: 'group', subject: 'optics' }], ['optics'])
  assert.is(code((await of()).requirePlace.bind(null, 'x', 1)), 'none')
})

test('an admin is not limited, a guest may nothing', async () => {
  const { of } = stage([{ gives: { mostOpen: 0 } }])
  assert.is(code((await of('admin')).requirePlace.bind(null, 'x', 1e9)), 'none')
  assert.is(code((await of('guest')).requirePlace.bind(null, 'x', 1)), 'not-permitted')
})

test.run()
