/** Passkeys (WebAuthn): what the page and the hub tell each other, in the JSON forms of the standard. */
import * as z from 'zod'
import { writtenText } from './common.ts'

const time = z.string()
const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w-]+$/, 'is not base64url')
/** A credential's id has 1023 bytes at most. */
const credentialId = base64url(1364)

/** What its person calls it. */
const passkeyName = writtenText(60).min(1)

/** `GET /api/v1/me/passkeys`. */
export const passkeySchema = z.object({
  /** The credential's own id. */
  id: z.string(),
  name: z.string(),
  createdAt: time,
  /** When it last signed its person in. */
  lastUsedAt: time.optional(),
})
export type Passkey = z.infer<typeof passkeySchema>

const descriptorSchema = z.object({
  type: z.literal('public-key'),
  id: z.string(),
  /** How a browser reaches it: `internal`, `usb`, … */
  transports: z.array(z.string()),
})

/** What `POST /api/v1/me/passkeys/begin` answers: the options for `navigator.credentials.create`. */
export const passkeyCreationSchema = z.object({
  rp: z.object({ id: z.string(), name: z.string() }),
  /** `id` is base64url. */
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  /** Base64url; good once, for five minutes. */
  challenge: z.string(),
  pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.number() })),
  /** Milliseconds. */
  timeout: z.number(),
  /** The person's passkeys: their devices make no second one. */
  excludeCredentials: z.array(descriptorSchema),
  authenticatorSelection: z.object({ residentKey: z.literal('required'), userVerification: z.literal('required') }),
  attestation: z.literal('none'),
})
export type PasskeyCreation = z.infer<typeof passkeyCreationSchema>

/** What `POST /api/v1/sign-in/passkey/begin` answers: the options for `navigator.credentials.get`. */
export const passkeyRequestSchema = z.object({
  rpId: z.string(),
  /** Base64url; good once, for five minutes. */
  challenge: z.string(),
  /** Milliseconds. */
  timeout: z.number(),
  userVerification: z.literal('required'),
})
export type PasskeyRequest = z.infer<typeof passkeyRequestSchema>

/** A passkey that a device has made: `RegistrationResponseJSON`. */
export const madePasskeySchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url(8_000),
    attestationObject: base64url(40_000),
    /** How a browser reaches it: `internal`, `usb`, … */
    transports: z.array(z.string().max(40)).max(10).default([]),
  }),
})
export type MadePasskey = z.infer<typeof madePasskeySchema>

/** What a device signed: `AuthenticationResponseJSON`. */
export const shownPasskeySchema = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url(8_000),
    authenticatorData: base64url(8_000),
    signature: base64url(8_000),
    /** Whose passkey the device says that it is. */
    userHandle: base64url(100),
  }),
})
export type ShownPasskey = z.infer<typeof shownPasskeySchema>

/** `POST /api/v1/me/passkeys`. */
export const addPasskeySchema = z.strictObject({ name: passkeyName, credential: madePasskeySchema })
/** `PUT /api/v1/me/passkeys/{id}`. */
export const renamePasskeySchema = z.strictObject({ name: passkeyName })
/** `POST /api/v1/sign-in/passkey`. */
export const passkeySignInSchema = z.strictObject({ credential: shownPasskeySchema })
