/**
 * How a node gets its credential.
 *
 * INVARIANTS: a code works once, for one node, for a quarter of an hour, and no longer once that node was given another
 * credential or was shut out; codes and passwords are kept as sha-256 of random secrets (100 and 256 bits: nothing to
 * guess, so no slow hash is needed) and compared in constant time.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { isName } from '@fernlab/shared/primitives/ids'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { newTypedCode, readTypedCode } from '../accounts/typed-code.ts'
import { auditEntries } from '../store/audit-entries.ts'
import { callersAddress } from '../store/calling-from.ts'
import type { Store } from '../store/store.ts'
import type { EnrollmentCode, NodeCredential } from './fleet.ts'

const CODE_MS = 15 * 60_000

export interface Enrollment {
  createCode(node: string, by: string): Promise<EnrollmentCode>
  enroll(code: string, node: string): Promise<NodeCredential>
  /** A new password for a node, whatever it had before; `by` is who asked for it, if not the site itself. */
  issue(node: string, by?: string): Promise<NodeCredential>
  /** Takes the node's password and its unused codes away. */
  revoke(node: string, by: string): Promise<void>
  verify(node: string, password: string): Promise<boolean>
}

/** `token` is the user name of people's tokens: a node of that name could never sign in. */
const mayName = (node: string): boolean => isName(node) && node !== 'token'

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Enrolment over the tables `enrollment` and `node`. */
export function createEnrollment({ store, clock }: { store: Store; clock: Clock }): Enrollment {
  const refuse = () =>
    new LabError({
      code: 'enrollment-refused',
      kind: 'caller',
      message: 'the code is wrong, was used before, has expired, or is for another node; make a new one',
    })

  const credential = (node: string) => {
    const password = randomBytes(32).toString('base64url')
    const now = clock.now()
    const query = store.db
      .insertInto('node')
      .values({ id: node, credential_hash: hash(password), enrolled_at: now, online: 0, instruments: '[]' })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ credential_hash: hash(password), enrolled_at: now, revoked_at: null }),
      )
    return { query, credential: { username: node, password } }
  }

  const audit = auditEntries(store, clock)

  const dropCodes = (node: string) =>
    store.db.deleteFrom('enrollment').where('node', '=', node).where('used_at', 'is', null)

  return {
    createCode: async (node, by) => {
      if (!mayName(node)) {
        const why = isName(node) ? 'people’s tokens sign in by it' : 'use lower-case letters, digits, - and _'
        const message = `${JSON.stringify(node)} is no name for a node: ${why}`
        throw new LabError({ code: 'name-invalid', kind: 'caller', message, issues: [{ path: 'node', message }] })
      }
      const code = newTypedCode()
      const now = clock.now()
      const row = store.db.insertInto('enrollment').values({
        code_hash: hash(readTypedCode(code)),
        node,
        created_by: by,
        created_at: now,
        expires_at: now + CODE_MS,
      })
      await store.write([row, audit(by, 'node.enrollment-code', node)])
      return { node, code, expiresAt: new Date(now + CODE_MS).toISOString() }
    },
    enroll: async (code, node) => {
      if (!mayName(node)) throw refuse()
      const { query, credential: made } = credential(node)
      const now = clock.now()
      const use = store.db
        .updateTable('enrollment')
        .set({ used_at: now })
        .where('code_hash', '=', hash(readTypedCode(code)))
        .where('node', '=', node)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
      // Nobody who is known, at the machine that is to be the node.
      const entry = audit(null, 'node.enrolled', node, {}, callersAddress())
      try {
        await store.write([{ query: use, expect: 1 }, query, dropCodes(node), entry])
      } catch (error) {
        if (error instanceof LabError && error.code === 'precondition-failed') throw refuse()
        throw error
      }
      return made
    },
    issue: async (node, by) => {
      const { query, credential: made } = credential(node)
      await store.write([query, dropCodes(node), ...(by === undefined ? [] : [audit(by, 'node.rotate', node)])])
      return made
    },
    revoke: async (node, by) => {
      const shutOut = store.db
        .updateTable('node')
        .set({ revoked_at: clock.now(), credential_hash: null, online: 0 })
        .where('id', '=', node)
      await store.write([shutOut, dropCodes(node), audit(by, 'node.revoke', node)])
    },
    verify: async (node, password) => {
      const row = await store.db
        .selectFrom('node')
        .select(['credential_hash', 'revoked_at'])
        .where('id', '=', node)
        .executeTakeFirst()
      const given = Buffer.from(hash(password), 'hex')
      const known = Buffer.from(row?.credential_hash ?? hash(randomBytes(16).toString('hex')), 'hex')
      return timingSafeEqual(given, known) && row !== undefined && row.revoked_at === null
    },
  }
}
