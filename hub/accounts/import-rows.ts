/**
 * Writes the people of a list.
 *
 * INVARIANTS: all rows of a list, with the groups, the audit log's and the letters' to come, are one transaction: whoever
 * kills the hub or stops the import in its midst finds nobody made, and so does one who has signed out, is suspended or has
 * another role before it; rows are made ready before it and in slices, so that the event loop is free between any two and
 * other writes wait for no more than the database's work; readers wait for nothing.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transaction, WriteStatement } from '@fernlab/shared/storage/database'
import type { FaultHook } from '../fault-point.ts'
import { auditEntries } from '../store/audit-entries.ts'
import { type Store, toStatement } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { ListedPerson } from './read-people.ts'
import { hashSecret, newSecret } from './secret-text.ts'

/** Long enough for a class that begins next week. */
export const IMPORT_LINK_MS = 14 * 86_400_000
/** What is made ready in one turn of the event loop: some milliseconds. */
const SLICE = 250

export interface ImportRowsOptions {
  readonly store: Store
  readonly clock: Clock
  readonly caller: Caller
  readonly people: readonly ListedPerson[]
  /** Ids of those who have an account, by address; they are put into the groups of their lines. */
  readonly here: ReadonlyMap<string, string>
  /** Whether a letter takes each new person's link to them. */
  readonly letters: boolean
  readonly signal: AbortSignal
  readonly onWritten: (done: number) => void
  readonly faultPoint: FaultHook | undefined
}

interface Row {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: string
  readonly hash: string | null
}

/** Makes everybody who is new, and resolves with the secret of each one's link by address (none where letters take them). */
export async function writeImport(options: ImportRowsOptions): Promise<Map<string, string>> {
  const { store, clock, caller, people, signal, onWritten, faultPoint } = options
  const secrets = new Map<string, string>()
  const slices: WriteStatement[][] = []
  for (let at = 0; at < people.length; at += SLICE) {
    signal.throwIfAborted()
    slices.push(statementsFor(people.slice(at, at + SLICE), secrets, options))
    await new Promise((resolve) => setImmediate(resolve))
  }
  try {
    await store.database.transaction(async (transaction) => {
      await mustStillBe(transaction, caller, clock.now())
      for (const [at, slice] of slices.entries()) {
        signal.throwIfAborted()
        await Promise.all(slice.map(({ sql, params }) => transaction.query(sql, params)))
        onWritten(Math.min((at + 1) * SLICE, people.length))
        if (at === 0) faultPoint?.('within-import')
      }
      faultPoint?.('before-import-commit')
      signal.throwIfAborted()
    })
  } catch (error) {
    if (asLabError(error).code !== 'constraint-failed') throw error
    throw new LabError({
      code: 'import-overtaken',
      kind: 'caller',
      retry: 'later',
      message: 'somebody else made one of these accounts at the same moment; nobody was made',
      studentMessage: 'Somebody else made one of these accounts just now. Import the list again: who is here stays.',
    })
  }
  faultPoint?.('after-import-commit')
  return secrets
}

/** Throws unless the caller is who they were when they came; nothing changes that before the transaction ends. */
async function mustStillBe(transaction: Transaction, caller: Caller, nowMs: number): Promise<void> {
  const { personId, role, sessionId = null, tokenId = null } = caller
  const { rows } = await transaction.query(standing, [
    ...[personId, role, sessionId, sessionId],
    ...[new Date(nowMs).toISOString(), tokenId, tokenId, nowMs],
  ])
  if (rows.length > 0) return
  throw new LabError({
    code: 'import-stopped',
    kind: 'caller',
    message: 'you were signed out, or may do something else than before; nobody was made',
    studentMessage: 'You were signed out, or may do something else than before. Nobody was made.',
  })
}

const standing = `SELECT 1 FROM person WHERE id = ? AND role = ? AND suspended_at IS NULL
  AND (? IS NULL OR EXISTS (SELECT 1 FROM session WHERE session.id = ? AND userId = person.id AND expiresAt > ?))
  AND (? IS NULL OR EXISTS (SELECT 1 FROM token WHERE token.id = ? AND person_id = person.id AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > ?)))`

function statementsFor(
  people: readonly ListedPerson[],
  secrets: Map<string, string>,
  { store, clock, caller, here, letters }: ImportRowsOptions,
): WriteStatement[] {
  const now = clock.now()
  const rows: Row[] = []
  const joins: { groupId: string; personId: string }[] = []
  const joiners = new Set<string>()
  for (const { name, email, role, groups } of people) {
    const known = here.get(email)
    const id = known ?? newId(now)
    if (known === undefined) {
      const secret = letters ? undefined : newSecret()
      if (secret !== undefined) secrets.set(email, secret)
      rows.push({ id, name, email, role, hash: secret === undefined ? null : hashSecret(secret) })
    } else if (groups.length > 0) joiners.add(id)
    for (const groupId of groups) joins.push({ groupId, personId: id })
  }
  const made = JSON.stringify(rows)
  const iso = new Date(now).toISOString()
  const audit = auditEntries(store, clock)
  const note = (action: string, many: number, detail: object) =>
    toStatement(audit(caller.personId, action, `${many} people`, detail))
  const old = joins.filter(({ personId }) => joiners.has(personId))
  return [
    ...(rows.length === 0
      ? []
      : [
          { sql: users, params: [iso, iso, made] },
          { sql: persons, params: [made] },
          letters
            ? { sql: dueLetters, params: [now, now, made] }
            : { sql: links, params: [now, now + IMPORT_LINK_MS, made] },
          note('people.imported', rows.length, { people: rows.map(({ id }) => id) }),
        ]),
    ...(joins.length === 0 ? [] : [{ sql: members, params: [now, JSON.stringify(joins)] }]),
    ...(joiners.size === 0 ? [] : [note('people.grouped', joiners.size, { joins: old })]),
  ]
}

const users = `INSERT INTO user (id, name, email, emailVerified, image, createdAt, updatedAt)
  SELECT value->>'id', value->>'name', value->>'email', 0, NULL, ?, ? FROM json_each(?)`
const persons = `INSERT INTO person (id, role) SELECT value->>'id', value->>'role' FROM json_each(?)`
const links = `INSERT INTO one_time (token_hash, purpose, subject, created_at, expires_at)
  SELECT value->>'hash', 'password-reset', value->>'id', ?, ? FROM json_each(?)`
const dueLetters = `INSERT INTO account_letter (person_id, since, due_at) SELECT value->>'id', ?, ? FROM json_each(?)`
const members = `INSERT INTO group_member (group_id, person_id, role, added_at)
  SELECT value->>'groupId', value->>'personId', 'member', ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`
