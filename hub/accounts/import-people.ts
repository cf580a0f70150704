/**
 * Makes accounts for a list of people, each with a link to choose a password.
 *
 * INVARIANTS: a list makes everybody who is new in it, or nobody: where a line is wrong, the import is stopped, its maker
 * may no longer do it, or the hub is killed, nobody; a line whose address has an account only puts them into groups, so a
 * list may be imported again; one list is worked on at a time, the others wait for their turn.
 */
import type { ImportedPeople, ImportProgress } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { FaultHook } from '../fault-point.ts'
import type { Groups } from '../groups/groups.ts'
import type { LetterWriting } from '../mail/letter-writing.ts'
import { type AccountLetters, createAccountLetters } from './account-letters.ts'
import type { Caller, Role } from './caller.ts'
import { beyondCaller, listInvalid } from './import-checks.ts'
import { createImportProgress, type ImportWatch } from './import-progress.ts'
import { writeImport } from './import-rows.ts'
import { readList } from './people-list.ts'
import type { ListedPerson } from './read-people.ts'

const LOOK_UP = 500
const MOST_SHOWN = 500

export interface ImportInput {
  readonly csv: string
  readonly role: Role
  readonly group?: string | undefined
  readonly preview: boolean
  readonly ref?: string | undefined
}

/** What was or would be done, and the people of the answer in parts that are made as they are asked for. */
export interface Imported extends Omit<ImportedPeople, 'people'> {
  readonly people: Iterable<ImportedPeople['people']>
}

export interface ImportPeople {
  /**
   * Throws `import-invalid` with what is wrong in which line, `import-stopped` when the signal aborts or the caller may
   * no longer do it; with `preview` nobody is made.
   */
  import(caller: Caller, input: ImportInput, signal: AbortSignal): Promise<Imported>
  /** How far imports of the person are, latest first. */
  progress(personId: string): ImportProgress[]
  /** Ends after the letter that is under way; what is due goes out after the next start. */
  close(): Promise<void>
}

export interface ImportPeopleOptions extends LetterWriting {
  readonly groups: Groups
  readonly faultPoint?: FaultHook | undefined
}

/** Imports people into the store. */
export function createImportPeople(options: ImportPeopleOptions): ImportPeople {
  const { clock } = options
  const letters = createAccountLetters(options)
  const underWay = createImportProgress(clock)
  let turn: Promise<unknown> = Promise.resolve()

  return {
    import: async (caller, input, signal) => {
      const watch = underWay.begin(caller.personId, input)
      const before = turn
      const mine = before.then(() => work({ ...options, letters, caller, input, signal, watch }))
      turn = mine.catch(() => {})
      try {
        return await untilAborted(mine, signal)
      } catch (error) {
        // One that was given up in its turn may be at its last step: it is told of when that has ended.
        mine.then(
          () => {},
          () => watch.at('stopped', 0, 0),
        )
        throw signal.aborted ? stopped() : error
      }
    },
    progress: underWay.of,
    close: async () => {
      await letters.close()
    },
  }
}

interface Work extends ImportPeopleOptions {
  readonly letters: AccountLetters
  readonly caller: Caller
  readonly input: ImportInput
  readonly signal: AbortSignal
  readonly watch: ImportWatch
}

async function work(options: Work): Promise<Imported> {
  const { store, groups, mail, log, clock, letters, caller, input, signal, watch, faultPoint } = options
  const people = await check(options)
  const here = await known(options, people)
  let fresh = 0
  let joining = 0
  for (const { email, groups: into } of people) {
    if (!here.has(email)) fresh++
    else if (into.length > 0) joining++
  }
  let secrets = new Map<string, string>()
  if (!input.preview) {
    const onWritten = (done: number) => watch.at('writing', done, people.length)
    onWritten(0)
    const common = { store, clock, caller, people, here, onWritten, faultPoint, signal }
    secrets = await writeImport({ ...common, letters: mail.configured })
    groups.changed()
    if (fresh > 0) log.info({ people: fresh, by: caller.personId }, 'people were imported')
    letters.look()
  }
  watch.at('done', people.length, people.length)
  return {
    letters: mail.configured,
    count: people.length,
    fresh,
    joining,
    people: shown(options, people, here, secrets),
  }
}

/** The people of the list, all of whom the caller may put in. */
async function check({ groups, caller, input, signal, watch }: Work): Promise<ListedPerson[]> {
  const { csv, role, group } = input
  signal.throwIfAborted()
  watch.at('reading', 0, 0)
  const request = { csv, role, groups: group === undefined ? [] : [group] }
  const onRead = (done: number, of: number) => watch.at('reading', done, of)
  const { people, issues } = await readList(request, { signal, onRead })
  const wrong = issues.length > 0 ? issues : await beyondCaller(groups, caller, people)
  if (wrong.length > 0) throw listInvalid(wrong)
  return people
}

/** Those of the addresses that have an account, with whose it is. */
async function known({ store, signal, watch }: Work, people: readonly ListedPerson[]): Promise<Map<string, string>> {
  const emails = new Map<string, string>()
  for (let at = 0; at < people.length; at += LOOK_UP) {
    signal.throwIfAborted()
    watch.at('checking', at, people.length)
    const some = people.slice(at, at + LOOK_UP).map(({ email }) => email)
    const rows = await store.db.selectFrom('user').select(['id', 'email']).where('email', 'in', some).execute()
    for (const { id, email } of rows) emails.set(email, id)
  }
  return emails
}

function* shown(
  { publicUrl }: Pick<Work, 'publicUrl'>,
  people: readonly ListedPerson[],
  here: ReadonlyMap<string, string>,
  secrets: ReadonlyMap<string, string>,
): Generator<ImportedPeople['people']> {
  const most = secrets.size > 0 ? people.length : MOST_SHOWN
  for (let at = 0; at < Math.min(most, people.length); at += LOOK_UP) {
    yield people.slice(at, at + LOOK_UP).map((person) => {
      const secret = secrets.get(person.email)
      const link = secret === undefined ? {} : { link: new URL(`/reset#token=${secret}`, publicUrl()).href }
      return { ...person, groups: [...person.groups], known: here.has(person.email), ...link }
    })
  }
}

/** Rejects when the signal aborts, whatever becomes of the work. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(stopped())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

const stopped = () =>
  new LabError({
    code: 'import-stopped',
    kind: 'caller',
    message: 'the import was stopped by the one who began it; nobody was made',
  })
