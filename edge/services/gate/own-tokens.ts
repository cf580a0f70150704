/**
 * Tokens that the node signs itself, for labs without a hub, and their end before their time.
 *
 * INVARIANTS: each has a number, which is on disk before the token is given out; what is ended is ended up to a number, on
 * disk before anybody is told, and for good: no clock that was wrong, or is set, makes a token good again, or a later one
 * worthless. A token without a number is older than all that have one.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { ServiceToken } from '@fernlab/shared/contracts/services'
import { newId } from '@fernlab/shared/primitives/ids'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { NodeSettings } from '../../settings/settings.ts'
import { OWN } from './service-keys.ts'

/** What is asked of a token that the node signs; all else is the node's. */
export type OwnClaims = Pick<ServiceToken, 'sub' | 'services' | 'rights'> & { readonly lifetimeS: number }

/** Whose tokens end; all that the node has signed where nobody is named. */
export interface EndedOwn {
  readonly people: readonly string[] | 'all'
}

export interface OwnTokensOptions {
  /** As tokens name the node: their issuer, and their audience. */
  readonly audience: string
  readonly settings: SettingsFile<NodeSettings>
}

export interface OwnTokens {
  /** A new token; the node's key is made at the first. */
  sign(claims: OwnClaims, nowMs: number): Promise<string>
  /** Ends those that were signed so far; resolves when that would outlive a start, and holds at once. */
  end(ended: EndedOwn): Promise<void>
  /** Whether one was signed for the person; of those before this was noted nobody knows. */
  isKnown(person: string): boolean
  isEnded(token: Pick<ServiceToken, 'iss' | 'sub' | 'number'>): boolean
}

export function createOwnTokens({ audience, settings }: OwnTokensOptions): OwnTokens {
  const signed = () => settings.data.ownTokens?.signed ?? 0
  // Before it is on disk too.
  const ended = new Map(Object.entries(settings.data.ownTokens?.ended ?? {}))
  let allEnded = settings.data.ownTokens?.allEnded
  return {
    sign: async ({ lifetimeS, ...claims }, nowMs) => {
      let number = 0
      await settings.update((data) => {
        if (data.ownServiceKey === undefined) {
          const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
          data.ownServiceKey = { x, d }
        }
        number = (data.ownTokens?.signed ?? 0) + 1
        const people = { ...data.ownTokens?.people, [claims.sub]: number }
        data.ownTokens = { ended: {}, ...data.ownTokens, people, signed: number }
      })
      const { SignJWT } = await import('jose')
      const iat = Math.floor(nowMs / 1000)
      const token: ServiceToken = {
        ...claims,
        iss: audience,
        aud: audience,
        jti: newId(nowMs),
        number,
        iat,
        exp: iat + lifetimeS,
      }
      const key = createPrivateKey({
        key: { kty: 'OKP', crv: 'Ed25519', ...settings.data.ownServiceKey },
        format: 'jwk',
      })
      return await new SignJWT({ ...token }).setProtectedHeader({ alg: 'EdDSA', kid: OWN }).sign(key)
    },
    end: async ({ people }) => {
      const upTo = signed()
      if (people === 'all') allEnded = upTo
      else for (const person of people) ended.set(person, upTo)
      for (const [person, number] of ended) if (number <= (allEnded ?? -1)) ended.delete(person)
      await settings.update((data) => {
        const kept = { signed: upTo, ...data.ownTokens, ended: Object.fromEntries(ended) }
        data.ownTokens = allEnded === undefined ? kept : { ...kept, allEnded }
      })
    },
    isKnown: (person) => Object.hasOwn(settings.data.ownTokens?.people ?? {}, person) || ended.has(person),
    isEnded: ({ iss, sub, number = 0 }) =>
      iss === audience && (number <= (allEnded ?? -1) || number <= (ended.get(sub) ?? -1)),
  }
}
