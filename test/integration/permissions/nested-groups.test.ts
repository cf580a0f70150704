import type { Caller } from '@fernlab/hub/accounts/caller'
import { newPerson } from '@fernlab/hub/accounts/new-person'
import { createGroups } from '@fernlab/hub/groups/groups'
import { BenchUse } from '@fernlab/hub/permissions/bench-use'
import { createPermissions } from '@fernlab/hub/permissions/permissions'
import { createStandings } from '@fernlab/hub/permissions/standings'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { temporaryStore } from '../results/stored-run.ts'

const test = suite('groups, their counts and their permissions, against looking at everything', { timeoutMs: 120_000 })

const nowMs = Date.UTC(2026, 10, 24, 12)
const dayMs = 86_400_000
const iso = (days: number) => new Date(nowMs + days * dayMs).toISOString()
const boss: Caller = { personId: 'boss', name: 'B', email: 'b@x.org', role: 'admin', scopes: 'all', via: 'session' }

const index = (below: number) => fc.nat({ max: below - 1 })
/** A group lies within an earlier one; a course may be over, on, or to come. */
const groupOf = fc.record({ within: fc.option(fc.nat()), times: fc.constantFrom(undefined, [-9, -1], [-1, 9], [1, 9]) })
const people = 5
const site = fc.record({
  groups: fc.array(groupOf, { minLength: 1, maxLength: 10 }),
  members: fc.array(fc.record({ group: fc.nat(), person: index(people), teaches: fc.boolean() }), { maxLength: 14 }),
  permissions: fc.array(
    fc.record({
      group: fc.option(fc.nat(), { freq: 6 }),
      person: index(people),
      lab: fc.constantFrom(null, 'a', 'b'),
      times: fc.constantFrom(undefined, [-9, -1], [-1, 9]),
      mayQueue: fc.boolean(),
      mostOpen: fc.option(index(9)),
      priority: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 8 },
  ),
})
type Site = typeof site extends fc.Arbitrary<infer Value> ? Value : never

const idOf = (group: number, { groups }: Site) => `g${group % groups.length}`
const outerOf = ({ groups }: Site, at: number) => {
  const within = groups[at]?.within
  return at === 0 || within === null || within === undefined ? undefined : within % at
}
const isOn = (times: readonly (number | undefined)[] | undefined) =>
  times === undefined || ((times[0] ?? 0) <= 0 && (times[1] ?? 0) > 0)

/** The group and what it lies within, as far as `passes` lets through. */
function wayOf(all: Site, from: number, passes = (_: number) => true): string[] {
  const way: string[] = []
  for (let at: number | undefined = from; at !== undefined && passes(at); at = outerOf(all, at)) way.push(`g${at}`)
  return way
}

async function build(all: Site) {
  const opened = await temporaryStore()
  const clock = new ManualClock(nowMs)
  const { store } = opened
  const made = Array.from({ length: people }, (_, at) =>
    newPerson({ store, clock, name: `P ${at}`, email: `p${at}@x.org`, role: 'student' }),
  )
  await store.write(made.flatMap(({ inserts }) => inserts))
  const ids = made.map(({ person }) => person.id)
  const groups = createGroups({ store, clock })
  for (const [at, { times }] of all.groups.entries()) {
    const outer = outerOf(all, at)
    const course = times === undefined ? {} : { from: iso(times[0] ?? 0), until: iso(times[1] ?? 0) }
    const within = outer === undefined ? {} : { within: `g${outer}` }
    const kind = times === undefined ? 'group' : 'course'
    await groups.create(boss, { id: `g${at}`, name: `G ${at}`, kind, ...within, ...course })
  }
  for (const { group, person, teaches } of all.members) {
    const add = [{ who: ids[person] ?? '', role: teaches ? ('instructor' as const) : ('member' as const) }]
    await groups.changeMembers(boss, idOf(group, all), { add, remove: [] })
  }
  const permissions = createPermissions({ store, hasLab: async () => true, clock })
  await permissions.remove(boss, 'everyone')
  const standings = createStandings({ store, groups, permissions, use: new BenchUse(), toCome: () => [], clock })
  for (const { group, person, lab, times, mayQueue, mostOpen, priority } of all.permissions) {
    const subject =
      group === null
        ? { kind: 'person' as const, id: ids[person] ?? '' }
        : { kind: 'group' as const, id: idOf(group, all) }
    const period = times === undefined ? {} : { from: iso(times[0] ?? 0), until: iso(times[1] ?? 0) }
    await permissions.create(boss, { subject, lab, ...period, gives: { mayQueue, mostOpen, priority } })
  }
  return { ...opened, ids, groups, standings }
}

/** What the permissions give, by looking at each of them for each group that the person is in. */
function expected(all: Site, person: number, lab: string) {
  const counted = all.members
    .filter((member) => member.person === person)
    .flatMap(({ group }) => wayOf(all, group % all.groups.length, (at) => isOn(all.groups[at]?.times)))
  const mine = all.permissions.filter(
    (one) =>
      (one.lab === null || one.lab === lab) &&
      isOn(one.times) &&
      (one.group === null ? one.person === person : counted.includes(idOf(one.group, all))),
  )
  if (mine.length === 0) return undefined
  const most = mine.map(({ mostOpen }) => mostOpen ?? Number.POSITIVE_INFINITY)
  return {
    mayQueue: mine.some(({ mayQueue }) => mayQueue),
    mostOpen: Math.max(...most) === Number.POSITIVE_INFINITY ? null : Math.max(...most),
    priority: Math.min(...mine.map(({ priority }) => priority)),
  }
}

test('what somebody may, and how many are in each group, is what looking at everything finds', async () => {
  await fc.assert(
    fc.asyncProperty(site, async (all) => {
      const { ids, groups, standings, close } = await build(all)
      try {
        for (const lab of ['a', 'b']) {
          for (const [person, personId] of ids.entries()) {
            const { gives, holding } = (await standings.of({ personId, role: 'student' }, lab)).effective()
            const { mayQueue, mostOpen, priority } = gives
            const found = holding.length === 0 ? undefined : { mayQueue, mostOpen, priority }
            assert.equal(found, expected(all, person, lab))
          }
        }
        const { items } = await groups.list(boss, { limit: 50 })
        for (const { id, people: counted, instructors } of items) {
          const within = all.members.filter(({ group }) => wayOf(all, group % all.groups.length).includes(id))
          assert.is(counted, new Set(within.map(({ person }) => person)).size)
          const last = new Map(
            all.members.filter(({ group }) => idOf(group, all) === id).map((one) => [one.person, one]),
          )
          const teachers = [...last.values()].filter(({ teaches }) => teaches).map(({ person }) => ids[person])
          assert.equal(instructors.map((one) => one.id).sort(), teachers.sort())
        }
        for (const [person, personId] of ids.entries()) {
          const who: Caller = { ...boss, personId, role: 'student' }
          const taught = new Set<string>()
          const isIn = new Set<string>()
          const last = new Map(
            all.members.filter((one) => one.person === person).map((one) => [idOf(one.group, all), one]),
          )
          for (const { group, teaches } of last.values()) {
            const at = group % all.groups.length
            for (const id of wayOf(all, at)) isIn.add(id)
            if (teaches)
              for (let inner = 0; inner < all.groups.length; inner++)
                if (wayOf(all, inner).includes(`g${at}`)) taught.add(`g${inner}`)
          }
          const shown = (await groups.list(who, { limit: 50 })).items
          assert.equal(
            shown.map(({ id }) => id),
            [...new Set([...isIn, ...taught])].sort(),
          )
          assert.equal(
            shown.filter(({ mine }) => mine === 'instructor').map(({ id }) => id),
            [...taught].sort(),
          )
        }
      } finally {
        await close()
      }
    }),
    { numRuns: 10 },
  )
})

test.run()
