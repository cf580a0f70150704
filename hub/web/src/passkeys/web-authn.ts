/** The browser's passkeys, with bytes as the base64url text that the hub reads. */
import type { MadePasskey, PasskeyCreation, PasskeyRequest, ShownPasskey } from '@fernlab/shared/contracts/passkeys'

/** Whether this browser knows passkeys; on a page that is not secure it hides them. */
export const browserHasPasskeys = (): boolean => typeof PublicKeyCredential === 'function'

/** The browser made or showed no passkey. */
export class NoPasskey extends Error {
  /** `known`: the device has one for this account already; `left`: the person stopped, or took too long. */
  readonly why: 'known' | 'left'

  constructor(why: 'known' | 'left', cause: unknown) {
    super(`no passkey: ${why}`, { cause })
    this.name = 'NoPasskey'
    this.why = why
  }
}

/** Asks the person's device for a new passkey; throws `NoPasskey`. */
export async function makePasskey({
  challenge,
  user,
  excludeCredentials,
  ...rest
}: PasskeyCreation): Promise<MadePasskey> {
  const publicKey: PublicKeyCredentialCreationOptions = {
    ...rest,
    challenge: toBytes(challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: excludeCredentials.map(({ type, id, transports }) => ({
      type,
      id: toBytes(id),
      transports: transports as AuthenticatorTransport[],
    })),
  }
  const { rawId, response } = await asked(navigator.credentials.create({ publicKey }))
  const { attestationObject, clientDataJSON } = response as AuthenticatorAttestationResponse
  const transports = (response as AuthenticatorAttestationResponse).getTransports()
  return {
    ...named(rawId),
    response: { clientDataJSON: toText(clientDataJSON), attestationObject: toText(attestationObject), transports },
  }
}

/** Asks the person for a passkey of theirs; throws `NoPasskey`. */
export async function showPasskey({ challenge, ...rest }: PasskeyRequest): Promise<ShownPasskey> {
  const publicKey = { ...rest, challenge: toBytes(challenge) }
  const { rawId, response } = await asked(navigator.credentials.get({ publicKey }))
  const { authenticatorData, clientDataJSON, signature, userHandle } = response as AuthenticatorAssertionResponse
  return {
    ...named(rawId),
    response: {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: toText(userHandle ?? new ArrayBuffer(0)),
    },
  }
}

async function asked(answer: Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    return (await answer) as PublicKeyCredential
  } catch (error) {
    const name = error instanceof DOMException ? error.name : ''
    if (name === 'InvalidStateError') throw new NoPasskey('known', error)
    if (name === 'NotAllowedError' || name === 'AbortError') throw new NoPasskey('left', error)
    throw error
  }
}

function named(rawId: ArrayBuffer) {
  const id = toText(rawId)
  return { id, rawId: id, type: 'public-key' as const }
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))
}

function toText(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
