/** Who people are: sign-in, the set-up link, API tokens, lost passwords. The one face of identity for the whole hub. */
import { join } from 'node:path'
import type { Token } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import { sql } from 'kysely'
import * as z from 'zod'
import type { FaultHook } from '../fault-point.ts'
import type { Groups } from '../groups/groups.ts'
import { createErrands } from '../mail/errands.ts'
import type { Mail } from '../mail/mail.ts'
import { personNamed } from '../store/person-named.ts'
import type { Store } from '../store/store.ts'
import type { Caller, Person, Role } from './caller.ts'
import { hasSecondFactor } from './factors.ts'
import { applyAdminSettings, checkSetupLink, findFirstAdmin, makeSetupLink, setUp } from './first-admin.ts'
import { createIdentity, type Visitor } from './identity.ts'
import { createImportPeople, type ImportPeople } from './import-people.ts'
import { createInvitations, type Invitations } from './invitations.ts'
import { createLastSeen } from './last-seen.ts'
import { createOwnAccount, type OwnAccount } from './own-account.ts'
import { createOwnAddress, type OwnAddress } from './own-address.ts'
import { createPasskeys, type Passkeys } from './passkeys.ts'
import { createPasswords } from './passwords.ts'
import { createRegistration, type Registration } from './registration.ts'
import { setRole } from './roles.ts'
import { createSeal, type Seal } from './sealed.ts'
import { createSecondFactor, type SecondFactor } from './second-factor.ts'
import { newSecret } from './secret-text.ts'
import { createSignIn, type SignIn } from './sign-in.ts'
import { createSignInRules, type SignInRulesBook } from './sign-in-rules.ts'
import { createSignIns, type SignIns } from './sign-ins.ts'
import { createSuspension, type Suspension } from './suspension.ts'
import { createTokens, hasTokens } from './tokens.ts'

export type { Caller, Person, Role } from './caller.ts'

/** What the settings say about identity. */
export interface AccountsConfig {
  readonly site: string
  /** Where people reach the hub; asked when a link is made, since the port may be chosen late. */
  readonly publicUrl: () => string
  /** True when people come over HTTPS: cookies are then `Secure`. */
  readonly secure: boolean
  /** Folder with the hub's own files; the signing secret is kept here. */
  readonly dataFolder: string
  readonly adminEmail?: string
  readonly adminPassword?: string
  /** 32 characters or more. */
  readonly adminToken?: string
}

/** A person with the cookies of a session that began just now. */
export interface SignedIn {
  readonly person: Person
  readonly cookies: readonly string[]
}

export interface Accounts {
  /** The person behind a bearer token or a session cookie; undefined for strangers, expired and revoked ones. */
  authenticate(headers: Headers): Promise<Caller | undefined>
  verifyToken(token: string): Promise<Caller | undefined>
  /** As `verifyToken`, by the token's id. */
  tokenHolder(tokenId: string): Promise<Caller | undefined>
  /** Who came by what `signInOf` names, as long as it has not ended. */
  signInHolder(signIn: string): Promise<Caller | undefined>
  /** Calls back with the id of each token that is revoked; returns how to stop. */
  onRevoked(listener: (tokenId: string) => void): () => void
  /**
   * Calls back with the person of whom a token or a session may have ended in this process, or may do something else
   * now; returns how to stop.
   */
  onEnded(listener: (personId: string) => void): () => void
  person(id: string): Promise<Person | undefined>
  /** By id; with `search`, those whose name or address contains it; with `among`, those with these ids. */
  people(page: { limit: number; cursor?: string; search?: string; role?: Role; among?: readonly string[] }): Promise<{
    items: (Person & { readonly secondFactor: boolean; readonly tokens: boolean; readonly suspendedAt?: string })[]
    cursor?: string
  }>
  /** Takes effect at once; throws `person-unknown`, and `last-admin` where nobody would be left who could give the role back. */
  setRole(by: Caller, personId: string, role: Role): Promise<Person>
  readonly suspension: Suspension
  readonly invitations: Invitations
  readonly own: OwnAccount
  readonly address: OwnAddress
  readonly rules: SignInRulesBook
  readonly registration: Pick<Registration, 'ask' | 'look'>
  /** Makes an account by the link of a registration and signs in: the answer carries the session cookie. */
  register(input: { token: string; name: string; password: string }, from: Visitor): Promise<SignedIn>
  /** Makes accounts for a list of people. */
  readonly importPeople: Pick<ImportPeople, 'import' | 'progress'>
  /** Makes an account by an invitation and signs in: the answer carries the session cookie. */
  join(input: { token: string; name: string; email: string; password: string }, from: Visitor): Promise<SignedIn>
  /** True until the first admin exists. */
  setupNeeded(): Promise<boolean>
  /** The address of a new one-time set-up link while there is no admin; earlier links stop working. */
  ensureSetupLink(): Promise<string | undefined>
  /** Rejects as `setup` would for this token; uses nothing up. */
  checkSetupLink(token: string): Promise<void>
  /** Creates the first admin and signs in: the answer carries the session cookie. */
  setup(input: { token: string; name: string; email: string; password: string }, from: Visitor): Promise<SignedIn>
  readonly signIn: SignIn
  readonly secondFactor: SecondFactor
  readonly passkeys: Omit<Passkeys, 'check'>
  readonly signIns: SignIns
  /** Without `expiresInDays` it ends with the token that asks, if that ends. */
  createToken(
    person: { readonly personId: string; readonly tokenExpiresAt?: number },
    input: { name: string; scopes: readonly string[]; expiresInDays?: number | undefined },
  ): Promise<Token & { token: string }>
  tokens(personId: string): Promise<Token[]>
  /** Takes effect at once; false when the person has no such token. */
  revokeToken(personId: string, tokenId: string): Promise<boolean>
  /** Revokes every token of the person, at once; throws `person-unknown`. */
  revokeTokens(by: { readonly personId: string }, personId: string): Promise<void>
  /** Sends a one-time link where the address is known; says nothing about whether it is. */
  forgotPassword(email: string): Promise<void>
  /** Sets a new password by a one-time link and ends every session of that person. */
  resetPassword(token: string, password: string): Promise<void>
  /** A seal for one purpose under the hub's own secret. */
  seal(purpose: string): Seal
  /** Writes down what is still in memory (when tokens were last used, and people last seen); idempotent. */
  close(): Promise<void>
}

export interface CreateAccountsOptions {
  readonly store: Store
  readonly config: AccountsConfig
  readonly mail: Mail
  readonly groups: Groups
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint?: FaultHook | undefined
}

const settingsSchema = z.object({ secret: z.string().min(32) })

/** Opens identity on the store; makes the signing secret at the first start and the admin that the settings name. */
export async function createAccounts({
  store,
  config,
  mail,
  groups,
  clock,
  log,
  faultPoint,
}: CreateAccountsOptions): Promise<Accounts> {
  const settings = await openSettingsFile({
    path: join(config.dataFolder, 'identity.json'),
    schema: settingsSchema,
    initial: { secret: newSecret() },
    log,
  })
  await settings.update(() => {})
  const { secret } = settings.data
  const rules = createSignInRules({ store, mail, clock })
  const lastSeen = createLastSeen({ store, clock, log })
  const identity = createIdentity({ store, secret, secure: config.secure, rules, lastSeen, clock, log })
  const seal = createSeal(secret, 'second-factor')
  const secondFactor = createSecondFactor({ store, identity, seal, rules, site: config.site, clock })
  const tokens = createTokens({ store, clock, log })
  const suspension = await createSuspension({ store, identity, tokens, clock, faultPoint })
  const signIns = createSignIns({ store, identity, lastSeen, clock })
  const errands = createErrands({ log })
  const post = { mail, errands, publicUrl: config.publicUrl, site: config.site }
  const passkeys = createPasskeys({ store, identity, ...post, clock, log })
  const passwords = createPasswords({ store, identity, ...post, clock, log })
  const registration = createRegistration({ store, identity, rules, ...post, clock, log })
  const invitations = createInvitations({ store, identity, groups, publicUrl: config.publicUrl, clock, log })
  const first = { store, identity, tokens, config, clock, log }
  await applyAdminSettings(first)
  // Writes letters from now on: after all that may refuse the start.
  const imports = createImportPeople({
    store,
    mail,
    groups,
    publicUrl: config.publicUrl,
    site: config.site,
    clock,
    log,
    faultPoint,
  })

  return {
    authenticate: async (headers) => {
      const authorization = headers.get('authorization')
      if (authorization === null) return identity.authenticate(headers)
      const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1]
      return token === undefined ? undefined : tokens.verify(token)
    },
    verifyToken: tokens.verify,
    tokenHolder: tokens.holder,
    signInHolder: async (signIn) => {
      const [kind, id = ''] = signIn.split(/:(.*)/s)
      if (kind === 'token') return tokens.holder(id)
      const personId = await signIns.holder(id)
      const person = await people(store)
        .where('user.id', '=', personId ?? '')
        .where('person.suspended_at', 'is', null)
        .executeTakeFirst()
      return person && { ...person, personId: person.id, scopes: 'all', via: 'session', sessionId: id }
    },
    onRevoked: tokens.onRevoked,
    onEnded: (listener) => {
      const stops = [identity.onEnded(listener), tokens.onRevoked((_tokenId, personId) => listener(personId))]
      return () => {
        for (const stop of stops) stop()
      }
    },
    person: (id) => people(store).where('user.id', '=', id).executeTakeFirst(),
    people: async ({ limit, cursor, search, role, among }) => {
      const rows = await people(store)
        .select((eb) => [hasSecondFactor(eb).as('secured'), hasTokens(eb, clock.now()).as('tokens'), 'suspended_at'])
        .where('user.id', '>', cursor ?? '')
        .$if(search !== undefined, (query) => query.where(personNamed(search ?? '')))
        .$if(role !== undefined, (query) => query.where('person.role', '=', role ?? 'guest'))
        .$if(among !== undefined, (query) =>
          query.where('user.id', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify(among)}))`),
        )
        .orderBy('user.id')
        .limit(limit + 1)
        .execute()
      const items = rows.slice(0, limit).map(({ secured, tokens: held, suspended_at: since, ...person }) => ({
        ...person,
        secondFactor: secured !== 0,
        tokens: held !== 0,
        ...(since === null ? {} : { suspendedAt: new Date(since).toISOString() }),
      }))
      const last = items.at(-1)
      return { items, ...(rows.length > limit && last !== undefined ? { cursor: last.id } : {}) }
    },
    setRole: async (by, personId, role) => {
      await setRole({ store, clock, by, personId, role })
      tokens.forget()
      identity.forget(personId)
      const person = await people(store).where('user.id', '=', personId).executeTakeFirstOrThrow()
      return { ...person, role }
    },
    suspension,
    invitations,
    importPeople: imports,
    own: createOwnAccount({ store, identity, tokens, clock, log }),
    address: createOwnAddress({ store, identity, tokens, ...post, clock, log }),
    rules: {
      now: rules.now,
      change: async (next, by) => {
        await rules.change(next, by)
        identity.forgetAll()
      },
    },
    registration,
    register: async (input, from) => {
      const person = await registration.confirm(input)
      return { person, cookies: await identity.start(person.id, from) }
    },
    join: async (input, from) => {
      const person = await invitations.join(input)
      return { person, cookies: await identity.start(person.id, from) }
    },
    setupNeeded: async () => (await findFirstAdmin(store)) === undefined,
    ensureSetupLink: () => makeSetupLink(first),
    checkSetupLink: (token) => checkSetupLink(first, token),
    setup: async (input, from) => {
      const person = await setUp(first, input)
      return { person, cookies: await identity.start(person.id, from) }
    },
    signIn: createSignIn({ identity, secondFactor, passkeys, suspension, secure: config.secure }),
    secondFactor,
    passkeys,
    signIns,
    createToken: ({ personId, tokenExpiresAt }, input) => tokens.create(personId, input, tokenExpiresAt),
    tokens: tokens.list,
    revokeToken: tokens.revoke,
    revokeTokens: tokens.revokeAll,
    forgotPassword: passwords.forgot,
    resetPassword: passwords.reset,
    seal: (purpose) => createSeal(secret, purpose),
    close: async () => {
      await errands.close()
      await imports.close()
      await lastSeen.close()
      await tokens.close()
    },
  }
}

function people(store: Store) {
  return store.db
    .selectFrom('user')
    .innerJoin('person', 'person.id', 'user.id')
    .select(['user.id', 'user.name', 'user.email', 'person.role'])
}
