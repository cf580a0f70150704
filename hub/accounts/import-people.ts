/**
 * Makes accounts for a list of people, each with a link to choose a password.
 *
 * INVARIANTS: a list with a mistake makes nobody; a line whose address has an account changes nothing, so a list may be
 * imported again; each person's rows are written together.
 */
import type { ImportedPeople } from '@fernlab/shared/contracts/api'
import { mayInvite } from '@fernlab/shared/contracts/people'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Mail } from '../mail/mail.ts'
import type { Store } from '../store/store.ts'
import type { Caller, Role } from './caller.ts'
import { newPerson } from './new-person.ts'
import { newOneTime } from './one-time.ts'
import { type ListedPerson, readPeople } from './read-people.ts'

/** Long enough for a class that begins next week. */
const linkMs = 14 * 86_400_000
const AT_ONCE = 100

export interface ImportPeople {
  /** Throws `import-invalid` with what is wrong in which line; with `preview` nobody is made. */
  import(caller: Caller, input: { csv: string; role: Role; preview: boolean }): Promise<ImportedPeople>
  /** Waits for letters that are being sent. */
  close(): Promise<void>
}

export interface ImportPeopleOptions {
  readonly store: Store
  readonly mail: Mail
  readonly publicUrl: () => string
  readonly site: string
  readonly clock: Clock
  readonly log: Log
}

/** Imports people into the store. */
export function createImportPeople({ store, mail, publicUrl, site, clock, log }: ImportPeopleOptions): ImportPeople {
  const { db } = store
  const sending = new Set<Promise<void>>()

  const read = (caller: Caller, csv: string, role: Role): ListedPerson[] => {
    const { people, issues } = readPeople(csv, role)
    const beyond = people
      .filter((person) => !mayInvite(caller, person.role))
      .map(({ line, role: to }) => ({ path: `csv[${line}].role`, message: `line ${line}: you may not make a ${to}` }))
    const all = [...issues, ...beyond]
    if (all.length === 0) return people
    throw new LabError({
      code: 'import-invalid',
      kind: 'caller',
      message: 'the list has mistakes; nobody was made',
      issues: all,
      studentMessage: 'The list has mistakes. Nobody was made: mend the lines below and choose the list again.',
    })
  }

  /** Those of the addresses that have an account. */
  const known = async (people: readonly ListedPerson[]): Promise<Set<string>> => {
    const emails = new Set<string>()
    for (let at = 0; at < people.length; at += AT_ONCE * 5) {
      const some = people.slice(at, at + AT_ONCE * 5).map(({ email }) => email)
      const rows = await db.selectFrom('user').select('email').where('email', 'in', some).execute()
      for (const { email } of rows) emails.add(email)
    }
    return emails
  }

  const make = async (caller: Caller, people: readonly ListedPerson[]): Promise<Map<string, string>> => {
    const links = new Map<string, string>()
    for (let at = 0; at < people.length; at += AT_ONCE) {
      const some = people.slice(at, at + AT_ONCE)
      const ids: string[] = []
      const inserts = some.flatMap(({ name, email, role }) => {
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
        return [...made.inserts, insert]
      })
      const entry = {
        at: clock.now(),
        person_id: caller.personId,
        action: 'people.imported',
        subject: `${ids.length} people`,
        detail: JSON.stringify({ people: ids }),
      }
      try {
        await store.write([...inserts, db.insertInto('audit').values(entry)])
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
    import: async (caller, { csv, role, preview }) => {
      const people = read(caller, csv, role)
      const here = await known(people)
      const fresh = people.filter(({ email }) => !here.has(email))
      const links = preview ? new Map<string, string>() : await make(caller, fresh)
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
          return { ...person, known: here.has(person.email), ...(link === undefined ? {} : { link }) }
        }),
      }
    },
    close: async () => {
      await Promise.all(sending)
    },
  }
}
