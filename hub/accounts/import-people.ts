/**
 * Makes accounts for a list of people, each with a link to choose a password.
 *
 * INVARIANTS: a list with a mistake makes nobody; a line whose address has an account only puts them into groups, so a
 * list may be imported again; each person's rows are written together.
 */
import type { ImportedPeople } from '@fernlab/shared/contracts/api'
import { mayInvite } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Groups } from '../groups/groups.ts'
import { joinGroup } from '../groups/members.ts'
import type { Mail } from '../mail/mail.ts'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Caller, Role } from './caller.ts'
import { newPerson } from './new-person.ts'
import { newOneTime } from './one-time.ts'
import { type ListedPerson, readPeople } from './read-people.ts'

/** Long enough for a class that begins next week. */
const linkMs = 14 * 86_400_000
const AT_ONCE = 100

export interface ImportInput {
  readonly csv: string
  readonly role: Role
  readonly group?: string | undefined
  readonly preview: boolean
}

export interface ImportPeople {
  /** Throws `import-invalid` with what is wrong in which line; with `preview` nobody is made. */
  import(caller: Caller, input: ImportInput): Promise<ImportedPeople>
  /** Waits for letters that are being sent. */
  close(): Promise<void>
}

export interface ImportPeopleOptions {
  readonly store: Store
  readonly mail: Mail
  readonly groups: Groups
  readonly publicUrl: () => string
  readonly site: string
  readonly clock: Clock
  readonly log: Log
}

/** Imports people into the store. */
export function createImportPeople({
  store,
  mail,
  groups,
  publicUrl,
  site,
  clock,
  log,
}: ImportPeopleOptions): ImportPeople {
  const { db } = store
  const sending = new Set<Promise<void>>()

  const read = async (caller: Caller, { csv, role, group }: ImportInput): Promise<ListedPerson[]> => {
    const { people, issues } = readPeople(csv, role, group === undefined ? [] : [group])
    const named = [...new Set(people.flatMap((person) => person.groups))]
    const given = { id: caller.personId, role: caller.role }
    const managed = new Set<string>()
    for (const id of await groups.known(named)) if (await groups.manages(given, id)) managed.add(id)
    const beyond = people
      .filter((person) => !mayInvite(caller, person.role))
      .map(({ line, role: to }) => ({ path: `csv[${line}].role`, message: `line ${line}: you may not make a ${to}` }))
    const closed = people.flatMap(({ line, groups: into }) =>
      into
        .filter((id) => !managed.has(id))
        .map((id) => ({
          path: `csv[${line}].groups`,
          message: `line ${line}: there is no group ${id} that you may change`,
        })),
    )
    const all = [...issues, ...beyond, ...closed.slice(0, 50)]
    if (all.length === 0) return people
    throw new LabError({
      code: 'import-invalid',
      kind: 'caller',
      message: 'the list has mistakes; nobody was made',
      issues: all,
      studentMessage: 'The list has mistakes. Nobody was made: mend the lines below and choose the list again.',
    })
  }

  /** Those of the addresses that have an account, with whose it is. */
  const known = async (people: readonly ListedPerson[]): Promise<Map<string, string>> => {
    const emails = new Map<string, string>()
    for (let at = 0; at < people.length; at += AT_ONCE * 5) {
      const some = people.slice(at, at + AT_ONCE * 5).map(({ email }) => email)
      const rows = await db.selectFrom('user').select(['id', 'email']).where('email', 'in', some).execute()
      for (const { id, email } of rows) emails.set(email, id)
    }
    return emails
  }

  const audit = auditEntries(store, clock)

  const make = async (caller: Caller, people: readonly ListedPerson[]): Promise<Map<string, string>> => {
    const links = new Map<string, string>()
    for (let at = 0; at < people.length; at += AT_ONCE) {
      const some = people.slice(at, at + AT_ONCE)
      const ids: string[] = []
      const inserts = some.flatMap(({ name, email, role, groups: into }) => {
        const made = newPerson({ store, clock, name, email, role })
        ids.push(made.person.id)
        const { secret, insert } = newOneTime({
          store,
          clock,
          purpose: 'password-reset',
          subject: made.person.id,
          ttlMs: linkMs,
        })
        links.set(email, new URL(`/reset#token=${secret}`, publicUrl()).href)
        return [
          ...made.inserts,
          insert,
          ...into.map((groupId) => joinGroup(db, { groupId, personId: made.person.id, nowMs: clock.now() })),
        ]
      })
      const entry = audit(caller.personId, 'people.imported', `${ids.length} people`, { people: ids })
      try {
        await store.write([...inserts, entry])
      } catch (error) {
        if (asLabError(error).code !== 'constraint-failed') throw error
        throw new LabError({
          code: 'import-overtaken',
          kind: 'caller',
          retry: 'later',
          message: 'somebody else made one of these accounts at the same moment',
          studentMessage:
            'Somebody else made one of these accounts just now. Import the list again: who is here stays.',
        })
      }
    }
    return links
  }

  /** Puts people who have an account into the groups of their lines. */
  const join = async (caller: Caller, people: readonly ListedPerson[], here: ReadonlyMap<string, string>) => {
    const joins = people.flatMap(({ email, groups: into }) => {
      const personId = here.get(email)
      return personId === undefined ? [] : into.map((groupId) => ({ groupId, personId }))
    })
    if (joins.length === 0) return
    const count = new Set(joins.map(({ personId }) => personId)).size
    await store.write([
      ...joins.map((one) => joinGroup(db, { ...one, nowMs: clock.now() })),
      audit(caller.personId, 'people.grouped', `${count} people`, { joins }),
    ])
  }

  const write = async (people: readonly ListedPerson[], links: ReadonlyMap<string, string>): Promise<void> => {
    for (const { name, email } of people) {
      try {
        await mail.send({
          to: email,
          subject: `${site}: your account`,
          text: `Hello ${name},\n\nyou have an account at ${site}. Open this link within two weeks and choose a password:\n\n${links.get(email)}\n\nAfterwards sign in with this address at ${publicUrl()}.\n`,
        })
      } catch (error) {
        const { code, message } = asLabError(error)
        log.error({ code, error: message }, 'a letter about a new account could not be sent')
      }
    }
  }

  return {
    import: async (caller, input) => {
      const { preview } = input
      const people = await read(caller, input)
      const here = await known(people)
      const fresh = people.filter(({ email }) => !here.has(email))
      const links = preview ? new Map<string, string>() : await make(caller, fresh)
      if (!preview) {
        await join(caller, people, here)
        groups.changed()
      }
      if (!preview && fresh.length > 0) log.info({ people: fresh.length, by: caller.personId }, 'people were imported')
      const letters = mail.configured && !preview
      if (letters) {
        const work = write(fresh, links)
        sending.add(work)
        work.finally(() => sending.delete(work))
      }
      return {
        letters: mail.configured,
        people: people.map((person) => {
          const link = letters ? undefined : links.get(person.email)
          return {
            ...person,
            groups: [...person.groups],
            known: here.has(person.email),
            ...(link === undefined ? {} : { link }),
          }
        }),
      }
    },
    close: async () => {
      await Promise.all(sending)
    },
  }
}
