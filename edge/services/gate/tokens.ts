/**
 * Tokens of services: who signed one, and whether it opens this node now. Nobody is asked.
 *
 * INVARIANTS: only Ed25519 keys that the node knows count, whatever the token's header says; a key counts for its own issuer
 * alone; the text of a token is in no error.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { LONGEST_TOKEN_S } from '@fernlab/shared/contracts/longest'
import { type ServiceToken, serviceTokenSchema } from '@fernlab/shared/contracts/services'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { LOCAL } from '../service-source.ts'

/** A key, and whose tokens it signs. */
export interface TrustedKey {
  readonly kid: string
  readonly x: string
  readonly issuer: string
}

export interface TokenTimes {
  /** Now by the clock of who signed, epoch ms. */
  readonly nowMs: number
  /** Whose clock that is, for errors. */
  readonly by: string
}

const MOST_CHARS = 8192
/** Clocks of one network differ by so much. */
const EARLY_MS = 30_000

/** What the token says; rejects with `token-invalid` where no trusted key has signed it. */
export async function verifyToken(text: unknown, keys: readonly TrustedKey[]): Promise<ServiceToken> {
  if (typeof text !== 'string' || text.length > MOST_CHARS) throw invalid('it is no text of at most 8192 characters')
  // Loaded when a first token comes: most nodes never see one.
  const { compactVerify } = await import('jose')
  let issuer: string | undefined
  const keyOf = ({ kid }: { readonly kid?: string }): KeyObject => {
    const key = keys.find((known) => known.kid === kid)
    if (key === undefined) throw invalid('this node knows no such key: who signed it is not its hub, nor itself')
    issuer = key.issuer
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.x }, format: 'jwk' })
  }
  let payload: unknown
  try {
    const verified = await compactVerify(text, keyOf, { algorithms: ['EdDSA'] })
    payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(verified.payload))
  } catch (thrown) {
    if (thrown instanceof LabError) throw thrown
    throw invalid('its signature is not that of a key this node knows')
  }
  const checked = serviceTokenSchema.safeParse(payload)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw invalid(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  if (checked.data.iss !== issuer) throw invalid(`it says that ${checked.data.iss} signed it, and ${issuer} did`)
  return checked.data
}

/** Throws where the token is for another node, or for another time. */
export function judgeToken(token: ServiceToken, audience: string, { nowMs, by }: TokenTimes): void {
  if (token.aud !== audience) {
    throw refused('token-foreign', `this token is for ${token.aud.slice(0, 200)}, and this node is ${audience}`)
  }
  // Nobody comes as the machine's owner by a token.
  if (token.sub === LOCAL) throw invalid(`nobody is called ${LOCAL}`)
  if (token.exp - token.iat > LONGEST_TOKEN_S) throw invalid('it is for more than 31 days')
  const now = new Date(nowMs).toISOString()
  if (token.iat * 1000 > nowMs + EARLY_MS) {
    const message = `this token is from ${timeText(token.iat)}, and it is ${now} by ${by}: one of the clocks is wrong`
    throw refused('token-not-yet', message)
  }
  if (token.exp * 1000 <= nowMs) throw expired(token, nowMs, by)
}

export function expired({ exp }: ServiceToken, nowMs: number, by: string): LabError {
  const now = new Date(nowMs).toISOString()
  return refused('token-expired', `this token was good until ${timeText(exp)}, and it is ${now} by ${by}`)
}

/** Whether the token names the service: by its name, as `<bench>.*`, or as `*`. */
export function namesService(services: readonly string[], service: string): boolean {
  return services.some((pattern) => {
    if (pattern === '*' || pattern === service) return true
    return pattern.endsWith('.*') && service.startsWith(pattern.slice(0, -1))
  })
}

export const refused = (code: string, message: string, retry: 'never' | 'later' = 'never'): LabError =>
  new LabError({ code, kind: 'caller', message, retry })

const invalid = (why: string) => refused('token-invalid', `this token opens nothing here: ${why}`)

/** Also of numbers that are no time. */
const timeText = (seconds: number): string => {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `${seconds} s` : time.toISOString()
}
