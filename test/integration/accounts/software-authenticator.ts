/** A device that keeps passkeys, in software: ES256 keys, authenticator data and CBOR as WebAuthn wants them. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { MadePasskey, PasskeyCreation, PasskeyRequest, ShownPasskey } from '@fernlab/shared/contracts/passkeys'
import { Encoder } from 'cbor-x'

const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false })
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()
const bits = { present: 0x01, verified: 0x04, attested: 0x40 }

export interface KeptPasskey {
  readonly id: string
  readonly userHandle: string
  readonly key: KeyObject
}

/** What a device or a browser may do wrong. */
export interface Quirks {
  /** The page on which the person is. */
  readonly origin: string
  readonly rpId?: string
  readonly counter?: number
  readonly verified?: boolean
  readonly challenge?: string
  /** Of the passkey that is made. */
  readonly id?: string
}

const clientData = (type: string, challenge: string, origin: string) =>
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))

function authenticatorData(rpId: string, flags: number, counter: number, rest = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(counter, 1)
  return Buffer.concat([sha256(rpId), head, rest])
}
const flagsOf = ({ verified = true }: Quirks) => bits.present | (verified ? bits.verified : 0)

/** Makes a passkey; what the browser sends of it, and what the device keeps. */
export function makePasskey(options: PasskeyCreation, quirks: Quirks): { made: MadePasskey; kept: KeptPasskey } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const coordinate = (text: string) => Buffer.from(text, 'base64url')
  const cose = new Map<number, number | Buffer>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, coordinate(x)],
    [-3, coordinate(y)],
  ])
  const rawId = quirks.id === undefined ? randomBytes(16) : Buffer.from(quirks.id, 'base64url')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(rawId.length)
  const attested = Buffer.concat([Buffer.alloc(16), length, rawId, cbor.encode(cose)])
  const flags = flagsOf(quirks) | bits.attested
  const authData = authenticatorData(quirks.rpId ?? options.rp.id, flags, quirks.counter ?? 0, attested)
  const attestation = new Map<string, unknown>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authData],
  ])
  const id = rawId.toString('base64url')
  const data = clientData('webauthn.create', quirks.challenge ?? options.challenge, quirks.origin)
  return {
    made: {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: data.toString('base64url'),
        attestationObject: cbor.encode(attestation).toString('base64url'),
        transports: ['internal'],
      },
    },
    kept: { id, userHandle: options.user.id, key: privateKey },
  }
}

/** Shows a passkey: signs the challenge. */
export function showPasskey(kept: KeptPasskey, options: PasskeyRequest, quirks: Quirks): ShownPasskey {
  const data = clientData('webauthn.get', quirks.challenge ?? options.challenge, quirks.origin)
  const authData = authenticatorData(quirks.rpId ?? options.rpId, flagsOf(quirks), quirks.counter ?? 0)
  const signature = sign('sha256', Buffer.concat([authData, sha256(data)]), kept.key)
  return {
    id: kept.id,
    rawId: kept.id,
    type: 'public-key',
    response: {
      clientDataJSON: data.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: signature.toString('base64url'),
      userHandle: kept.userHandle,
    },
  }
}
