/**
 * People's passkeys: making, naming and removing them, and signing in with one.
 *
 * INVARIANTS: a challenge is stored as a hash, good once and for five minutes, and used up by the same write as what it
 * allows; a passkey is its person's alone, and its counter never goes back: one that does may be a copy and signs nobody in.
 */
import type {
  MadePasskey,
  Passkey,
  PasskeyCreation,
  PasskeyRequest,
  ShownPasskey,
} from '@fernlab/shared/contracts/passkeys'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { auditEntries } from '../store/audit-entries.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { CredentialsOptions } from './credentials.ts'
import { claimOneTime, isGoodOneTime, newOneTime } from './one-time.ts'
import {
  challengeIn,
  creationOptions,
  handleOf,
  passkeyPatienceMs,
  passkeyRefused,
  type RelyingParty,
  readMade,
  readShown,
  relyingPartyAt,
  requestOptions,
} from './web-authn.ts'
import { wrongPassword } from './wrong-password.ts'

const mostPasskeys = 20

export interface Passkeys {
  /** Of the page that may ask for passkeys; undefined where the hub's address allows none. */
  address(): string | undefined
  list(personId: string): Promise<Passkey[]>
  /** What the browser is to make; throws `wrong-credentials`, `passkeys-need-address`, `passkeys-too-many`. */
  begin(caller: Caller, password: string): Promise<PasskeyCreation>
  /** Keeps what the browser has made; throws `passkey-refused`, `passkey-too-late`. */
  add(caller: Caller, input: { name: string; credential: MadePasskey }): Promise<Passkey>
  /** Throws `passkey-unknown`. */
  rename(personId: string, id: string, name: string): Promise<Passkey>
  /** Throws `wrong-credentials`, `passkey-unknown`. */
  remove(caller: Caller, id: string, password: string): Promise<void>
  /** What a browser at the sign-in page is to show. */
  beginSignIn(): Promise<PasskeyRequest>
  /** Whose passkey was shown; throws `passkey-refused`, `passkey-too-late`, `passkey-unknown`. */
  check(shown: ShownPasskey): Promise<string>
}

/** Keeps passkeys in the store. */
export function createPasskeys(options: CredentialsOptions): Passkeys {
  const { store, identity, mail, errands, publicUrl, site, clock, log } = options
  const { db } = store
  const audit = auditEntries(store, clock)
  const rows = (personId: string) =>
    db.selectFrom('passkey').selectAll().where('person_id', '=', personId).orderBy('created_at').orderBy('id').execute()

  const party = (): RelyingParty => {
    const found = relyingPartyAt(publicUrl())
    if (found === undefined) throw needAddress(publicUrl())
    return found
  }
  const newChallenge = async (purpose: 'passkey' | 'passkey-sign-in', personId?: string): Promise<string> => {
    const whose = personId === undefined ? {} : { subject: personId }
    const { secret, insert } = newOneTime({ store, clock, purpose, ttlMs: passkeyPatienceMs, ...whose })
    const over = db.deleteFrom('one_time').where('purpose', '=', purpose).where('expires_at', '<', clock.now())
    await store.write([over, insert])
    return secret
  }
  /** Tells the person by mail, where the site sends any. */
  const tell = (personId: string, what: string, text: string) => {
    if (!mail.configured) return
    errands.begin('the letter about a passkey', async () => {
      const person = await db
        .selectFrom('user')
        .select(['name', 'email'])
        .where('id', '=', personId)
        .executeTakeFirstOrThrow()
      await mail.send({
        to: person.email,
        subject: `${site}: ${what}`,
        text: `Hello ${person.name},\n\n${text}\n`,
      })
    })
  }
  const notYou =
    'If this was not you, choose a new password, look under Account for passkeys that are not yours, and write to the staff at once.'

  return {
    address: () => relyingPartyAt(publicUrl())?.origin,
    list: async (personId) => (await rows(personId)).map(view),
    begin: async (caller, password) => {
      const relying = party()
      const { personId: id, name, email } = caller
      if (!(await identity.verifyPassword(id, password))) throw wrongPassword()
      const known = await rows(id)
      if (known.length >= mostPasskeys) throw tooMany()
      return creationOptions({
        party: relying,
        site,
        person: { id, name, email },
        challenge: await newChallenge('passkey', id),
        known: known.map((row) => ({ id: row.id, transports: JSON.parse(row.transports) as string[] })),
      })
    },
    add: async ({ personId }, { name, credential }) => {
      const challenge = challengeIn(credential.response.clientDataJSON)
      const key = await readMade(party(), credential, challenge)
      const row = {
        id: key.id,
        person_id: personId,
        name,
        public_key: key.publicKey,
        counter: key.counter,
        transports: JSON.stringify(key.transports),
        created_at: clock.now(),
        last_used_at: null,
      }
      const claim = claimOneTime(store, clock, 'passkey', challenge).where('subject', '=', personId)
      try {
        await store.write([
          { query: claim, expect: 1 },
          db.insertInto('passkey').values(row),
          audit(personId, 'passkey.added', personId, { name }),
        ])
      } catch (error) {
        const { code } = asLabError(error)
        if (code === 'precondition-failed') throw tooLate()
        if (code === 'constraint-failed') throw passkeyRefused('there is one with this id already')
        throw error
      }
      identity.forget(personId)
      tell(
        personId,
        'a passkey was added',
        `the passkey “${name}” signs in to your account at ${site} from now on. ${notYou}`,
      )
      return view(row)
    },
    rename: async (personId, id, name) => {
      const mine = db.updateTable('passkey').set({ name }).where('id', '=', id).where('person_id', '=', personId)
      await writing([{ query: mine, expect: 1 }], () => unknown(id))
      const row = (await rows(personId)).find((one) => one.id === id)
      if (row === undefined) throw unknown(id)
      return view(row)
    },
    remove: async ({ personId }, id, password) => {
      const row = (await rows(personId)).find((one) => one.id === id)
      if (row === undefined) throw unknown(id)
      if (!(await identity.verifyPassword(personId, password))) throw wrongPassword()
      const mine = db.deleteFrom('passkey').where('id', '=', id).where('person_id', '=', personId)
      const entry = audit(personId, 'passkey.removed', personId, { name: row.name })
      await writing([{ query: mine, expect: 1 }, entry], () => unknown(id))
      identity.forget(personId)
      tell(
        personId,
        'a passkey was removed',
        `the passkey “${row.name}” no longer signs in to your account at ${site}. ${notYou}`,
      )
    },
    beginSignIn: async () => requestOptions(party(), await newChallenge('passkey-sign-in')),
    check: async (shown) => {
      const challenge = challengeIn(shown.response.clientDataJSON)
      if (!(await isGoodOneTime(store, clock, 'passkey-sign-in', challenge))) throw tooLate()
      const row = await db
        .selectFrom('passkey')
        .innerJoin('person', 'person.id', 'passkey.person_id')
        .selectAll('passkey')
        .where('passkey.id', '=', shown.id)
        .executeTakeFirst()
      if (row === undefined) throw removed()
      const { id, person_id: personId, public_key: publicKey } = row
      if (shown.response.userHandle !== handleOf(personId)) throw passkeyRefused('it is of somebody else')
      const counter = await readShown(party(), shown, { challenge, key: { id, publicKey } })
      const claim = { query: claimOneTime(store, clock, 'passkey-sign-in', challenge), expect: 1 }
      // Devices that keep no counter say 0, always.
      if ((counter > 0 || row.counter > 0) && counter <= row.counter) {
        const detail = { name: row.name, counter, before: row.counter }
        await writing([claim, audit(personId, 'passkey.counter-back', personId, detail)], tooLate)
        log.warn({ person: personId, counter, before: row.counter }, 'the counter of a passkey went back')
        tell(
          personId,
          'a passkey may have been copied',
          `the passkey “${row.name}” was shown with an older counter than before, so a copy of it may exist. It did not sign in. Remove it under Account and make a new one.`,
        )
        throw passkeyRefused(`its counter is ${counter}, and was ${row.counter}`)
      }
      const used = db
        .updateTable('passkey')
        .set({ counter, last_used_at: clock.now() })
        .where('id', '=', id)
        .where('counter', '=', row.counter)
      await writing([claim, { query: used, expect: 1 }], tooLate)
      return personId
    },
  }

  async function writing(queries: Parameters<Store['write']>[0], overtaken: () => LabError): Promise<void> {
    try {
      await store.write(queries)
    } catch (error) {
      throw asLabError(error).code === 'precondition-failed' ? overtaken() : error
    }
  }
}

/** The query that takes all of a person's passkeys away. */
export const withoutPasskeys = ({ db }: Store, personId: string) =>
  db.deleteFrom('passkey').where('person_id', '=', personId)

interface PasskeyRow {
  readonly id: string
  readonly name: string
  readonly created_at: number
  readonly last_used_at: number | null
}

function view({ id, name, created_at, last_used_at }: PasskeyRow): Passkey {
  const lastUsedAt = last_used_at === null ? {} : { lastUsedAt: new Date(last_used_at).toISOString() }
  return { id, name, createdAt: new Date(created_at).toISOString(), ...lastUsedAt }
}

function needAddress(address: string): LabError {
  return new LabError({
    code: 'passkeys-need-address',
    kind: 'caller',
    message: `passkeys need an address with a name and HTTPS, and this hub's is ${address}; set FERNLAB_PUBLIC_URL`,
    studentMessage: 'Passkeys do not work at this hub’s address. Its staff can give it one with a name and HTTPS.',
  })
}

const tooLate = () =>
  new LabError({
    code: 'passkey-too-late',
    kind: 'caller',
    message: 'this question was answered already, or waited for too long',
    studentMessage: 'This took too long. Try again.',
  })

const tooMany = () =>
  new LabError({
    code: 'passkeys-too-many',
    kind: 'caller',
    message: `a person has ${mostPasskeys} passkeys at most`,
    studentMessage: 'You have as many passkeys as this hub keeps. Remove one first.',
  })

const unknown = (id: string) =>
  new LabError({ code: 'passkey-unknown', kind: 'caller', message: `you have no passkey ${id}` })

const removed = () =>
  new LabError({
    code: 'passkey-removed',
    kind: 'caller',
    message: 'no account here has this passkey',
    studentMessage:
      'No account here has this passkey any more. Sign in with your password, and delete it on your device.',
  })
