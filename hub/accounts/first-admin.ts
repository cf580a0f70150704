/**
 * The first admin: by the one-time set-up link, or from the settings.
 *
 * INVARIANTS: the link, the check that nobody was first, and the person's rows are one atomic write, so of any number
 * of set-ups at the same moment exactly one wins. There is never a default password.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { AccountsConfig } from './accounts.ts'
import type { Person } from './caller.ts'
import type { Identity } from './identity.ts'
import { newPerson } from './new-person.ts'
import { claimOneTime, isGoodOneTime, makeOneTime, oneTimeError } from './one-time.ts'
import type { Tokens } from './tokens.ts'

const linkMs = 7 * 86_400_000
const automationEmail = 'automation@fernlab.invalid'
export const ADMIN_TOKEN_NAME = 'FERNLAB_ADMIN_TOKEN'

export interface FirstAdminOptions {
  readonly store: Store
  readonly identity: Identity
  readonly tokens: Tokens
  readonly config: AccountsConfig
  readonly clock: Clock
  readonly log: Log
}

/** An admin who can sign in with a password, the earliest first. */
export async function findFirstAdmin(store: Store): Promise<string | undefined> {
  const row = await store.db
    .selectFrom('person')
    .innerJoin('account', 'account.userId', 'person.id')
    .select('person.id')
    .where('role', '=', 'admin')
    .where('suspended_at', 'is', null)
    .where('account.providerId', '=', 'credential')
    .orderBy('person.id')
    .executeTakeFirst()
  return row?.id
}

/** Does what the settings say about the first admin; throws `setting-invalid` for a setting that can't be used. */
export async function applyAdminSettings(options: FirstAdminOptions): Promise<void> {
  const { store, identity, tokens, config, clock, log } = options
  checkAdminSettings(config)
  if (config.adminEmail !== undefined && config.adminPassword !== undefined) {
    if ((await findFirstAdmin(store)) === undefined) {
      const passwordHash = await identity.hashPassword(config.adminPassword)
      const { inserts, person } = newPerson({
        store,
        clock,
        name: 'Admin',
        email: config.adminEmail,
        role: 'admin',
        passwordHash,
      })
      await store.write(inserts)
      log.info({ person: person.id }, 'the first admin was made from the settings')
    }
  }
  if (config.adminToken !== undefined) {
    const owner = (await findFirstAdmin(store)) ?? (await findAutomation(store, clock))
    await tokens.establish(owner, ADMIN_TOKEN_NAME, config.adminToken)
  }
}

function checkAdminSettings({ adminEmail, adminPassword, adminToken }: AccountsConfig): void {
  const refuse = (message: string) => new LabError({ code: 'setting-invalid', kind: 'configuration', message })
  if (adminEmail === undefined && adminPassword !== undefined) {
    throw refuse('FERNLAB_ADMIN_PASSWORD is set without FERNLAB_ADMIN_EMAIL; set both')
  }
  if (adminEmail !== undefined && !/^[^@\s]+@[^@\s]+$/.test(adminEmail)) {
    throw refuse(`FERNLAB_ADMIN_EMAIL is ${JSON.stringify(adminEmail)}, it must be a mail address`)
  }
  if (adminPassword !== undefined && (adminPassword.length < 10 || adminPassword.length > 200)) {
    throw refuse(`FERNLAB_ADMIN_PASSWORD has ${adminPassword.length} characters, it must have 10 to 200`)
  }
  if (adminToken !== undefined && adminToken.length < 32) {
    throw refuse(`FERNLAB_ADMIN_TOKEN has ${adminToken.length} characters, it must have 32 or more`)
  }
}

/** Until somebody has set the hub up, the token from the settings belongs to a person who can't sign in. */
async function findAutomation(store: Store, clock: Clock): Promise<string> {
  const known = await store.db.selectFrom('user').select('id').where('email', '=', automationEmail).executeTakeFirst()
  if (known !== undefined) return known.id
  const { inserts, person } = newPerson({ store, clock, name: 'Automation', email: automationEmail, role: 'admin' })
  await store.write(inserts)
  return person.id
}

/** The address of a new set-up link while nobody is admin. */
export async function makeSetupLink(options: FirstAdminOptions): Promise<string | undefined> {
  const { store, clock, config } = options
  if ((await findFirstAdmin(store)) !== undefined) return undefined
  const secret = await makeOneTime({ store, clock, purpose: 'setup', ttlMs: linkMs })
  return new URL(`/setup#token=${secret}`, config.publicUrl()).href
}

/** Rejects where `setUp` would for this secret; uses nothing up. */
export async function checkSetupLink({ store, clock }: FirstAdminOptions, secret: string): Promise<void> {
  if ((await findFirstAdmin(store)) !== undefined) throw alreadySetUp()
  if (!(await isGoodOneTime(store, clock, 'setup', secret))) throw oneTimeError('setup')
}

const alreadySetUp = () =>
  new LabError({
    code: 'already-set-up',
    kind: 'caller',
    message: 'this hub has its first admin already',
    studentMessage: 'This hub was set up already. Sign in, or ask its admin for help.',
  })

/** Makes the first admin by the link; rejects with `link-used-or-expired`, or `already-set-up` when somebody was first. */
export async function setUp(
  { store, identity, clock, log }: FirstAdminOptions,
  input: { token: string; name: string; email: string; password: string },
): Promise<Person> {
  const passwordHash = await identity.hashPassword(input.password)
  const { name, email } = input
  const { inserts, person } = newPerson({ store, clock, name, email, role: 'admin', passwordHash })
  const claim = claimOneTime(store, clock, 'setup', input.token).where(({ not, exists, selectFrom }) =>
    not(
      exists(
        selectFrom('person')
          .innerJoin('account', 'account.userId', 'person.id')
          .select('person.id')
          .where('person.role', '=', 'admin'),
      ),
    ),
  )
  const entry = auditEntries(store, clock)(person.id, 'hub.set-up', person.id)
  try {
    await store.write([{ query: claim, expect: 1 }, ...inserts, entry])
  } catch (error) {
    if (asLabError(error).code !== 'precondition-failed') throw error
    if ((await findFirstAdmin(store)) === undefined) throw oneTimeError('setup')
    throw alreadySetUp()
  }
  log.info({ person: person.id }, 'the hub was set up')
  return person
}
