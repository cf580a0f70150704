/**
 * The key by which the hub signs tokens for services.
 *
 * INVARIANTS: it is made once for a database, so that all that stand on it sign alike; its secret half is on disk only as
 * sealed text.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { ServiceKey, ServiceToken } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { SignJWT } from 'jose'
import type { Seal } from '../accounts/sealed.ts'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'

const SETTING = 'services.key'

interface Kept extends ServiceKey {
  /** The secret half, sealed PKCS #8. */
  readonly sealed: string
}

export interface SigningKey {
  /** What nodes are told of it. */
  readonly publicKey: ServiceKey
  sign(token: ServiceToken): Promise<string>
}

/** Opens the key of the database, or makes it: also where another identity.json has sealed the one that is there. */
export async function openSigningKey(options: {
  store: Store
  seal: Seal
  clock: Clock
  log: Log
}): Promise<SigningKey> {
  const { store, seal, clock, log } = options
  const settings = createSettings(store, clock)
  const kept = await keptKey(options)
  if (kept !== undefined) {
    try {
      return signingKey(
        kept,
        createPrivateKey({ key: Buffer.from(seal.open(kept.sealed)), format: 'der', type: 'pkcs8' }),
      )
    } catch (error) {
      // Tokens last for an hour: nothing is lost with it but those that are in use.
      log.warn({ error: asLabError(error).message }, 'the key that signs tokens for services is made anew')
      await store.write([store.db.deleteFrom('setting').where('name', '=', SETTING)])
    }
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = privateKey.export({ format: 'jwk' })
  const sealed = seal.close(privateKey.export({ format: 'der', type: 'pkcs8' }))
  const made: Kept = { kid: newId(clock.now()), x, sealed }
  const value = JSON.stringify(made)
  const row = { name: SETTING, value, changed_at: clock.now(), changed_by: null }
  await store.write([
    store.db
      .insertInto('setting')
      .values(row)
      .onConflict((conflict) => conflict.doNothing()),
  ])
  // Another process may have been first.
  return (await settings.read(SETTING)) === value ? signingKey(made, privateKey) : openSigningKey(options)
}

async function keptKey({ store, clock }: { store: Store; clock: Clock }): Promise<Kept | undefined> {
  const value = await createSettings(store, clock).read(SETTING)
  return value === undefined ? undefined : (JSON.parse(value) as Kept)
}

function signingKey({ kid, x }: ServiceKey, secret: KeyObject): SigningKey {
  return {
    publicKey: { kid, x },
    sign: (token) => new SignJWT({ ...token }).setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' }).sign(secret),
  }
}
