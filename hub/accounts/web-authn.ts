/**
 * WebAuthn behind our own port: what is asked of a browser, and whether its answer holds. Knows no person and no database.
 *
 * INVARIANTS: only answers for this hub's own address hold, to the challenge that was asked, with the person's consent and
 * the device's proof that it is them (PIN, finger, face): a passkey is two factors at once.
 */
import type { MadePasskey, PasskeyCreation, PasskeyRequest, ShownPasskey } from '@fernlab/shared/contracts/passkeys'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** For whom passkeys are: a name, and the one address whose page may ask for them. */
export interface RelyingParty {
  readonly id: string
  readonly origin: string
}

/** What is kept of a passkey. */
export interface PasskeyKey {
  readonly id: string
  /** COSE. */
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
}

interface Creation {
  readonly party: RelyingParty
  readonly site: string
  readonly person: { readonly id: string; readonly name: string; readonly email: string }
  readonly challenge: string
  readonly known: readonly Pick<PasskeyKey, 'id' | 'transports'>[]
}

/** Time for PIN, finger or face. */
export const passkeyPatienceMs = 5 * 60_000
/** EdDSA, ES256, RS256: every device has one of them. */
const algorithms = [-8, -7, -257]

/**
 * The relying party at a hub's address; undefined where browsers allow no passkeys: they want a name, and HTTPS. This
 * machine itself has both under the name `localhost`.
 */
export function relyingPartyAt(address: string): RelyingParty | undefined {
  const url = new URL(address)
  if (/^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) url.hostname = 'localhost'
  const { hostname: id, origin } = url
  if (id === 'localhost' || id.endsWith('.localhost')) return { id, origin }
  const number = /^[\d.]+$|^\[/.test(id)
  return number || url.protocol !== 'https:' ? undefined : { id, origin }
}

/** What a browser is asked to make. */
export function creationOptions({ party, site, person, challenge, known }: Creation): PasskeyCreation {
  return {
    rp: { id: party.id, name: site },
    user: { id: handleOf(person.id), name: person.email, displayName: person.name },
    challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: passkeyPatienceMs,
    excludeCredentials: known.map(({ id, transports }) => ({ type: 'public-key', id, transports: [...transports] })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    attestation: 'none',
  }
}

/** What a browser is asked to show: whichever passkey the person picks. */
export function requestOptions(party: RelyingParty, challenge: string): PasskeyRequest {
  return { rpId: party.id, challenge, timeout: passkeyPatienceMs, userVerification: 'required' }
}

/** The person's id as devices keep it. */
export const handleOf = (personId: string): string => Buffer.from(personId).toString('base64url')

/** To which challenge an answer is; throws `passkey-refused`. */
export function challengeIn(clientDataJSON: string): string {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    if (typeof data === 'object' && data !== null && 'challenge' in data && typeof data.challenge === 'string')
      return data.challenge
  } catch (cause) {
    throw passkeyRefused('its data is not JSON', cause)
  }
  throw passkeyRefused('it names no challenge')
}

/** The key of a passkey that was just made; throws `passkey-refused`. */
export async function readMade(party: RelyingParty, made: MadePasskey, challenge: string): Promise<PasskeyKey> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { transports } = made.response
  const response = { ...made.response, transports: transports as never }
  const checked = await verifyRegistrationResponse({
    response: { ...made, response, clientExtensionResults: {} },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  }).catch(refuse)
  if (!checked.verified) throw passkeyRefused('its attestation does not hold')
  const { id, publicKey, counter } = checked.registrationInfo.credential
  if (id !== made.id) throw passkeyRefused('it says another id than its device')
  return { id, publicKey, counter, transports }
}

/** The counter of a passkey that was shown and holds; what it means is the caller's. Throws `passkey-refused`. */
export async function readShown(
  party: RelyingParty,
  shown: ShownPasskey,
  expected: { readonly challenge: string; readonly key: Pick<PasskeyKey, 'id' | 'publicKey'> },
): Promise<number> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  const { id, publicKey } = expected.key
  const checked = await verifyAuthenticationResponse({
    response: { ...shown, clientExtensionResults: {} },
    expectedChallenge: expected.challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
    // 0: one that went back is the caller's to find, once the signature holds.
    credential: { id, publicKey: new Uint8Array(publicKey), counter: 0 },
  }).catch(refuse)
  if (!checked.verified) throw passkeyRefused('its signature does not hold')
  return checked.authenticationInfo.newCounter
}

/** An answer of a browser that does not hold. */
export function passkeyRefused(why: string, cause?: unknown): LabError {
  return new LabError({
    code: 'passkey-refused',
    kind: 'caller',
    message: `the passkey was refused: ${why}`,
    studentMessage: 'This passkey does not fit here. Open the lab’s own page and try again, or use your password.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function refuse(error: unknown): never {
  throw passkeyRefused(error instanceof Error ? error.message : String(error), error)
}
