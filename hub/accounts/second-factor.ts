/**
 * The second factor: an authenticator app's code, a recovery code or a passkey, after the password.
 *
 * INVARIANTS: it is asked for once a first code has shown that the app works; each code is taken once, by the same write
 * that it allows, whoever else sends it at that moment; recovery codes and trusted browsers are stored as hashes, the
 * app's secret sealed; all of it goes with the factor.
 */
import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store, StoreQuery } from '../store/store.ts'
import type { Caller } from './caller.ts'
import { hasApp, hasPasskey } from './factors.ts'
import type { Identity } from './identity.ts'
import { claimOneTime, newOneTime } from './one-time.ts'
import { withoutPasskeys } from './passkeys.ts'
import { personAt } from './passwords.ts'
import { personUnknown } from './roles.ts'
import type { Seal } from './sealed.ts'
import { hashSecret, newSecret } from './secret-text.ts'
import { needsSecondFactor, type SignInRulesBook } from './sign-in-rules.ts'
import { findStep, secretText, totpUri } from './totp.ts'
import { newTypedCode, readTypedCode } from './typed-code.ts'
import { wrongPassword } from './wrong-password.ts'

/** Time between the password and the code. */
export const secondStepMs = 10 * 60_000
export const trustMs = 30 * 86_400_000
const recoveryCodeCount = 8
const secretBytes = 20

/** How a sign-in may go on after the password; the secret is for a code. */
export interface SecondStep {
  readonly by: readonly ('code' | 'passkey')[]
  readonly secret?: string
}

export interface SecondFactor {
  state(personId: string): Promise<{ on: boolean; recoveryCodes: number }>
  /** A secret for the app, which holds once `confirm` had a code of it; throws `wrong-credentials`, `second-factor-on`. */
  begin(caller: Caller, password: string): Promise<{ secret: string; uri: string }>
  /** Turns it on; the recovery codes are shown once. Throws `code-wrong`, `second-factor-not-begun`. */
  confirm(caller: Caller, code: string): Promise<{ recoveryCodes: string[] }>
  /** Other recovery codes instead of all earlier ones. */
  renewRecoveryCodes(caller: Caller, password: string): Promise<{ recoveryCodes: string[] }>
  remove(caller: Caller, password: string): Promise<void>
  /** Takes another person's away, passkeys too, who can then sign in by password alone; throws `person-unknown`. */
  reset(by: Caller, personId: string): Promise<void>
  /** What may follow the password, where something has to in a browser with this mark of trust. */
  challenge(personId: string, trust: string | undefined): Promise<SecondStep | undefined>
  /** Of whom the second step is; undefined once it is over. */
  pending(secret: string): Promise<string | undefined>
  /** Ends the second step; throws `code-wrong`, `second-step-over`. */
  answer(secret: string, code: string): Promise<string>
  /** A mark by which the person's browser is not asked again for 30 days. */
  trust(personId: string): Promise<string>
}

export interface SecondFactorOptions {
  readonly store: Store
  readonly identity: Identity
  readonly seal: Seal
  readonly rules: SignInRulesBook
  readonly site: string
  readonly clock: Clock
}

/** Keeps second factors in the store. */
export function createSecondFactor({ store, identity, seal, rules, site, clock }: SecondFactorOptions): SecondFactor {
  const { db } = store
  const find = (personId: string) =>
    db.selectFrom('second_factor').selectAll().where('person_id', '=', personId).executeTakeFirst()
  const audit = auditEntries(store, clock)
  const checkPassword = async (caller: Caller, password: string) => {
    if (!(await identity.verifyPassword(caller.personId, password))) throw wrongPassword()
  }
  const newRecoveryCodes = (personId: string) => {
    const recoveryCodes = Array.from({ length: recoveryCodeCount }, () => newTypedCode(3))
    const rows = recoveryCodes.map((code) => ({ person_id: personId, code_hash: hashSecret(readTypedCode(code)) }))
    const queries = [
      db.deleteFrom('recovery_code').where('person_id', '=', personId),
      db.insertInto('recovery_code').values(rows),
    ]
    return { recoveryCodes, queries }
  }

  /** What takes the code: a later step of the app, or a recovery code. */
  const taking = async (personId: string, typed: string): Promise<StoreQuery | undefined> => {
    const factor = await find(personId)
    if (factor?.confirmed_at == null) return undefined
    const digits = typed.replace(/\s/g, '')
    const step = findStep(seal.open(factor.secret), digits, clock.now(), factor.last_step)
    if (step !== undefined) return { query: take(personId, step), expect: 1 }
    const query = db
      .deleteFrom('recovery_code')
      .where('person_id', '=', personId)
      .where('code_hash', '=', hashSecret(readTypedCode(typed)))
    return { query, expect: 1 }
  }
  const take = (personId: string, step: number) =>
    db
      .updateTable('second_factor')
      .set({ last_step: step })
      .where('person_id', '=', personId)
      .where('last_step', '<', step)

  /** What may follow the password; a passkey has to where a second factor is a duty and there is no app. */
  const after = async (personId: string): Promise<SecondStep['by']> => {
    const person = await db
      .selectFrom('person')
      .select((eb) => ['person.role', hasApp(eb).as('app'), hasPasskey(eb).as('passkey')])
      .where('person.id', '=', personId)
      .executeTakeFirst()
    if (person === undefined) return []
    const { role, app, passkey } = person
    if (app) return passkey ? ['code', 'passkey'] : ['code']
    return passkey && needsSecondFactor(await rules.now(), role) ? ['passkey'] : []
  }

  return {
    state: async (personId) => {
      const factor = await find(personId)
      if (factor?.confirmed_at == null) return { on: false, recoveryCodes: 0 }
      const codes = db.selectFrom('recovery_code').select(({ fn }) => fn.countAll<number>().as('count'))
      const { count } = await codes.where('person_id', '=', personId).executeTakeFirstOrThrow()
      return { on: true, recoveryCodes: count }
    },
    begin: async (caller, password) => {
      await checkPassword(caller, password)
      const secret = randomBytes(secretBytes)
      const row = { secret: seal.close(secret), last_step: 0 }
      const insert = db
        .insertInto('second_factor')
        .values({ person_id: caller.personId, confirmed_at: null, ...row })
        .onConflict((conflict) => conflict.column('person_id').doUpdateSet(row).where('confirmed_at', 'is', null))
      await writing([{ query: insert, expect: 1 }], factorOn)
      return { secret: secretText(secret), uri: totpUri({ site, email: caller.email, secret }) }
    },
    confirm: async ({ personId }, code) => {
      const factor = await find(personId)
      if (factor === undefined) throw notBegun()
      if (factor.confirmed_at !== null) throw factorOn()
      const step = findStep(seal.open(factor.secret), code.replace(/\s/g, ''), clock.now(), 0)
      if (step === undefined) throw wrongCode()
      const { recoveryCodes, queries } = newRecoveryCodes(personId)
      const turnOn = db
        .updateTable('second_factor')
        .set({ confirmed_at: clock.now(), last_step: step })
        .where('person_id', '=', personId)
        .where('secret', '=', factor.secret)
        .where('confirmed_at', 'is', null)
      await writing([{ query: turnOn, expect: 1 }, ...queries, audit(personId, 'second-factor.on', personId)], notBegun)
      identity.forget(personId)
      return { recoveryCodes }
    },
    renewRecoveryCodes: async (caller, password) => {
      await checkPassword(caller, password)
      const { personId } = caller
      if ((await find(personId))?.confirmed_at == null) throw factorOff()
      const { recoveryCodes, queries } = newRecoveryCodes(personId)
      await store.write([...queries, audit(personId, 'second-factor.recovery-codes', personId)])
      return { recoveryCodes }
    },
    remove: async (caller, password) => {
      await checkPassword(caller, password)
      const { personId } = caller
      await store.write([...withoutSecondFactor(store, personId), audit(personId, 'second-factor.off', personId)])
      identity.forget(personId)
    },
    reset: async (by, personId) => {
      const person = await db.selectFrom('person').select('id').where('id', '=', personId).executeTakeFirst()
      if (person === undefined) throw personUnknown(personId)
      const entry = audit(by.personId, 'second-factor.reset', personId)
      await store.write([...withoutSecondFactor(store, personId), withoutPasskeys(store, personId), entry])
      identity.forget(personId)
    },
    challenge: async (personId, trust) => {
      const by = await after(personId)
      if (by.length === 0) return undefined
      if (trust !== undefined) {
        const known = await db
          .selectFrom('trusted_browser')
          .select('person_id')
          .where('token_hash', '=', hashSecret(trust))
          .where('person_id', '=', personId)
          .where('expires_at', '>', clock.now())
          .executeTakeFirst()
        if (known !== undefined) return undefined
      }
      if (!by.includes('code')) return { by }
      const one = { store, clock, purpose: 'second-step', subject: personId, ttlMs: secondStepMs } as const
      const { secret, insert } = newOneTime(one)
      const over = db.deleteFrom('one_time').where('purpose', '=', 'second-step').where('expires_at', '<', clock.now())
      await store.write([over, insert])
      return { by, secret }
    },
    pending: async (secret) => {
      const row = await db
        .selectFrom('one_time')
        .select('subject')
        .where('token_hash', '=', hashSecret(secret))
        .where('purpose', '=', 'second-step')
        .where('used_at', 'is', null)
        .where('expires_at', '>', clock.now())
        .executeTakeFirst()
      return row?.subject ?? undefined
    },
    answer: async (secret, code) => {
      const claimed = claimOneTime(store, clock, 'second-step', secret).returning('subject')
      const row = await db
        .selectFrom('one_time')
        .select('subject')
        .where('token_hash', '=', hashSecret(secret))
        .executeTakeFirst()
      const personId = row?.subject ?? undefined
      if (personId === undefined) throw stepOver()
      const taken = await taking(personId, code)
      if (taken === undefined) throw stepOver()
      await writing([{ query: claimed, expect: 1 }, taken], wrongCode)
      return personId
    },
    trust: async (personId) => {
      const now = clock.now()
      const secret = newSecret()
      const row = { token_hash: hashSecret(secret), person_id: personId, created_at: now, expires_at: now + trustMs }
      await store.write([
        db.deleteFrom('trusted_browser').where('expires_at', '<=', now),
        db.insertInto('trusted_browser').values(row),
      ])
      return secret
    },
  }

  /** Writes it; where something was overtaken, that is the caller's error. */
  async function writing(queries: readonly StoreQuery[], overtaken: () => LabError): Promise<void> {
    try {
      await store.write(queries)
    } catch (error) {
      throw asLabError(error).code === 'precondition-failed' ? overtaken() : error
    }
  }
}

/** Takes away the second factor of the person with this address; for the command line, which already has the data folder. */
export async function takeSecondFactorOf(options: { store: Store; email: string; clock?: Clock }): Promise<void> {
  const { store, email, clock = systemClock } = options
  const { id } = await personAt(store, email)
  const entry = auditEntries(store, clock)(null, 'second-factor.reset', id)
  await store.write([...withoutSecondFactor(store, id), withoutPasskeys(store, id), entry])
}

/** The queries that take a person's app away, with all that belongs to it. */
export function withoutSecondFactor({ db }: Store, personId: string) {
  return [
    db.deleteFrom('second_factor').where('person_id', '=', personId),
    db.deleteFrom('recovery_code').where('person_id', '=', personId),
    db.deleteFrom('trusted_browser').where('person_id', '=', personId),
  ]
}

function wrongCode(): LabError {
  const message = 'the code is wrong, too old, or was used'
  return new LabError({
    code: 'code-wrong',
    kind: 'caller',
    message,
    issues: [{ path: 'code', message }],
    studentMessage:
      'This code is wrong, too old, or was used. Type the one that your app shows now; check that the phone’s clock is right.',
  })
}

const stepOver = () =>
  new LabError({
    code: 'second-step-over',
    kind: 'caller',
    message: 'this sign-in is over: it waited for the code for too long, or was ended',
    studentMessage: 'This took too long. Sign in again with your password.',
  })

const factorOn = () =>
  new LabError({
    code: 'second-factor-on',
    kind: 'caller',
    message: 'the second factor is on; turn it off to set up another',
    studentMessage: 'Your second factor is on. Turn it off to set up another app.',
  })

const factorOff = () =>
  new LabError({
    code: 'second-factor-off',
    kind: 'caller',
    message: 'there is no second factor; set it up first',
    studentMessage: 'You have no second factor. Set it up first.',
  })

const notBegun = () =>
  new LabError({
    code: 'second-factor-not-begun',
    kind: 'caller',
    message: 'the secret was replaced or never made; begin again',
    studentMessage: 'Begin again: the secret that you scanned was replaced.',
  })
