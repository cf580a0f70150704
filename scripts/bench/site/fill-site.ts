/** A database as a large site has it, made by the hub's own stores: the same at every time but for ids and dates. */
import type { Caller } from '@fernlab/hub/accounts/caller'
import { newPerson } from '@fernlab/hub/accounts/new-person'
import { createTokens } from '@fernlab/hub/accounts/tokens'
import { bookingStatements } from '@fernlab/hub/bookings/booking-statements'
import { newBooking } from '@fernlab/hub/bookings/new-booking'
import { type Catalogue, type CatalogueLab, createCatalogue } from '@fernlab/hub/catalogue/catalogue'
import { createGroups } from '@fernlab/hub/groups/groups'
import { createPermissions } from '@fernlab/hub/permissions/permissions'
import { openStore, type Store, type StoreQuery } from '@fernlab/hub/store/store'
import type { Subject } from '@fernlab/shared/contracts/permissions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { newRunId } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { nothingLab } from '../fernlab/files.ts'

export const size = {
  people: 10_000,
  groups: 500,
  labs: 40,
  nodes: 100,
  benches: 200,
  runs: 50_000,
  bookings: 5000,
  permissions: 2000,
} as const

export const labName = (at: number): string => `lab-${String(at).padStart(2, '0')}`
export const groupName = (at: number): string => `group-${String(at).padStart(3, '0')}`
export const nodeName = (at: number): string => `node-${String(at).padStart(3, '0')}`
/** The group that the student of the calls is in, beside others. */
export const ownCourse = groupName(137)

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Over so long before now runs and half of the bookings are spread. */
const pastDays = 90
const { clock, log } = { clock: systemClock, log: silentLog }

/** Numbers below 1 that are the same at every time (Park and Miller). */
function numbers(seed = 1): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

const by: Caller = {
  personId: 'bench',
  name: 'Bench',
  email: 'bench@example.org',
  role: 'admin',
  scopes: 'all',
  via: 'session',
}

/** Fills the database at this address; what it answers is a token of a student in several groups. */
export async function fillSite(url: string): Promise<{ studentToken: string }> {
  const store = await openStore({ url, log })
  try {
    const random = numbers()
    const catalogue = createCatalogue({ store, clock, log })
    for (let at = 0; at < size.labs; at++) await catalogue.push(labFiles(at), { id: labName(at), by: by.personId })
    const people = await addPeople(store)
    await addGroups(store, people, random)
    await addPermissions(store, catalogue, people, random)
    const labs = await catalogue.list()
    await addRuns(store, labs, people, random)
    await addBookings(store, labs, people, random)
    const tokens = createTokens({ store, clock, log })
    const { token } = await tokens.create(personAt(people, 0), { name: 'calls', scopes: ['read'] })
    await tokens.close()
    return { studentToken: token }
  } finally {
    await store.close()
  }
}

function personAt(people: readonly string[], at: number): string {
  const id = people[at % people.length]
  if (id === undefined) throw new LabError({ code: 'bench-empty', kind: 'bug', message: 'there are no people' })
  return id
}

const labFiles = (at: number) =>
  Object.fromEntries(
    nothingLab.files.map(({ path, text }) => [
      path,
      path === 'lab.yaml' ? `${text.replace('Nothing', `Lab ${at}`)}session: { seconds: 3600 }\n` : text,
    ]),
  )

async function inBites<Item>(
  store: Store,
  items: readonly Item[],
  queries: (item: Item, at: number) => readonly StoreQuery[],
) {
  for (let at = 0; at < items.length; at += 500) {
    await store.write(items.slice(at, at + 500).flatMap((item, offset) => queries(item, at + offset)))
  }
}

async function addPeople(store: Store): Promise<string[]> {
  const made = Array.from({ length: size.people }, (_, at) =>
    newPerson({
      store,
      clock,
      name: `Person ${at}`,
      email: `person-${at}@bench.example`,
      role: at === 0 ? 'student' : at % 100 === 1 ? 'instructor' : 'student',
    }),
  )
  await inBites(store, made, ({ inserts }) => inserts)
  return made.map(({ person }) => person.id)
}

/** Five faculties, in each of which subjects, in which courses, in which classes; every person is in two classes. */
async function addGroups(store: Store, people: readonly string[], random: (below: number) => number) {
  const groups = createGroups({ store, clock })
  const outer = (at: number) => (at < 5 ? undefined : at < 25 ? at % 5 : at < 125 ? 5 + (at % 20) : 25 + (at % 100))
  const kind = (at: number) => (at >= 25 && at < 125 ? 'course' : 'group')
  for (let at = 0; at < size.groups; at++) {
    const within = outer(at)
    await groups.create(by, {
      id: groupName(at),
      name: `Group ${at}`,
      kind: kind(at),
      ...(within === undefined ? {} : { within: groupName(within) }),
    })
  }
  const classes = size.groups - 125
  const members = Array.from({ length: classes }, () => new Map<string, 'member' | 'instructor'>())
  for (const [at, person] of people.entries()) {
    for (const place of [at % classes, random(classes)])
      members[place]?.set(person, at % 100 === 1 ? 'instructor' : 'member')
  }
  const student = personAt(people, 0)
  for (const place of [12, 57, 211, 300]) members[place]?.set(student, 'member')
  for (const [place, entries] of members.entries()) {
    const add = [...entries].map(([who, role]) => ({ who, role }))
    await groups.changeMembers(by, groupName(125 + place), { add, remove: [] })
  }
}

/** A quarter for groups, the rest for single people, each in one lab. */
async function addPermissions(
  store: Store,
  catalogue: Catalogue,
  people: readonly string[],
  random: (below: number) => number,
) {
  const hasLab = async (id: string) => (await catalogue.lab(id)) !== undefined
  const permissions = createPermissions({ store, hasLab, clock })
  const given = Array.from({ length: size.permissions }, (_, at): { subject: Subject; lab: string } => ({
    subject:
      at < size.groups
        ? { kind: 'group', id: groupName(at) }
        : { kind: 'person', id: personAt(people, random(people.length)) },
    lab: labName(random(size.labs)),
  }))
  for (let at = 0; at < given.length; at += 50) {
    await Promise.all(given.slice(at, at + 50).map((one) => permissions.create(by, { ...one, template: 'class' })))
  }
}

async function addRuns(
  store: Store,
  labs: readonly CatalogueLab[],
  people: readonly string[],
  random: (below: number) => number,
) {
  const now = clock.now()
  const stepMs = Math.floor((pastDays * dayMs) / size.runs)
  const each = Array.from({ length: size.runs }, (_, at) => at)
  await inBites(store, each, (at) => {
    const lab = labs[random(labs.length)]
    const found = lab?.protocols.nothing
    if (lab === undefined || found === undefined) return []
    const createdAt = now - (size.runs - at) * stepMs
    const person = at % 50 === 0 ? personAt(people, 0) : personAt(people, random(people.length))
    return runQueries(store, {
      lab: lab.id,
      digest: found.digest,
      person,
      bench: benchOf(lab.id, random(5)),
      createdAt,
    })
  })
}

/** Five benches serve a lab, on nodes of their own. */
export const benchesPerLab = size.benches / size.labs
export const benchOf = (lab: string, at: number): string => {
  const bench = Number(lab.slice('lab-'.length)) * benchesPerLab + at
  return `${nodeName(bench % size.nodes)}.${bench < size.nodes ? 'one' : 'two'}`
}

interface PastRun {
  readonly lab: string
  readonly digest: string
  readonly person: string
  readonly bench: string
  readonly createdAt: number
}

/** A run that has ended, with its attempt. */
function runQueries({ db }: Store, { lab, digest, person, bench, createdAt }: PastRun): StoreQuery[] {
  const id = newRunId(createdAt)
  const assignedAt = createdAt + 20_000
  const endedAt = assignedAt + 300_000
  const none = { note: null, wanted_bench: null, counts_from: null, reason: null, error: null, data_removed_at: null }
  const nobody = { idempotency_key: null, request_hash: null, recurring_id: null, booking_id: null, bench_check: null }
  const apart = { bumped_at: null, bumped_for: null, client_address: null, country: null, unnamed_at: null }
  return [
    db.insertInto('run').values({
      ...{ id, person_id: person, lab, lab_version: 1, protocol: 'nothing', protocol_digest: digest, restart: 'safe' },
      ...{ parameters: '{}', priority: 5, state: 'succeeded', attempt: 1, bench, fence: 1, estimated_s: 300 },
      ...{ created_at: createdAt, assigned_at: assignedAt, started_at: assignedAt + 1000, ended_at: endedAt },
      ...none,
      ...nobody,
      ...apart,
    }),
    db.insertInto('attempt').values({
      ...{ run_id: id, attempt: 1, node: bench.split('.')[0] ?? '', bench, fence: 1, next_seq: 2, state: 'succeeded' },
      ...{ assigned_at: assignedAt, ended_at: endedAt },
    }),
  ]
}

/** Half are over; the rest begins within two weeks, no more at once than a lab has benches. Every tenth is of a group. */
async function addBookings(
  store: Store,
  labs: readonly CatalogueLab[],
  people: readonly string[],
  random: (below: number) => number,
) {
  const statements = bookingStatements(store.db)
  const hour = Math.ceil(clock.now() / hourMs) * hourMs
  const half = size.bookings / 2
  const writes = Array.from({ length: size.bookings }, (_, at) => {
    const lab = labs[at % labs.length] as CatalogueLab
    const turn = Math.floor((at % half) / labs.length)
    const start = at < half ? hour + (1 + turn * 5) * hourMs : hour - (2 + turn * 20) * hourMs
    const person = at % 100 === 0 ? personAt(people, 0) : personAt(people, random(people.length))
    const group = at % 10 === 9 ? { group: groupName(125 + random(375)) } : {}
    const body = { lab: lab.id, start: new Date(start).toISOString(), seconds: 3600, places: 1, ...group }
    const booking = newBooking({ ...by, personId: person }, body, lab, Math.min(clock.now(), start - dayMs))
    const { insert, end } = statements
    return [
      { sql: insert.sql, params: insert.bind(booking) },
      ...(at < half ? [] : [{ sql: end.sql, params: end.bind({ ...booking, state: 'over', at: booking.endsAt }) }]),
    ]
  })
  for (let at = 0; at < writes.length; at += 500) await store.database.write(writes.slice(at, at + 500).flat())
}
