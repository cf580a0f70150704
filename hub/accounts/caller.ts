/** Who is asking, as every route and the broker see it. */

import type { Role } from '@fernlab/shared/contracts/people'

export type { Role }

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
}

export interface Caller {
  readonly personId: string
  readonly name: string
  readonly email: string
  readonly role: Role
  /** What the token was made for; `all` for a person who signed in. */
  readonly scopes: readonly string[] | 'all'
  readonly via: 'session' | 'token' | 'setup'
  /** What the site's rules want of this person before anything else; only for a person who signed in. */
  readonly mustSetUp?: 'second-factor'
  readonly tokenId?: string
  /** Of a person who signed in. */
  readonly sessionId?: string
  /** Epoch ms; set for a token that ends by itself. */
  readonly tokenExpiresAt?: number
  /** Of the client, where the call came over HTTP. */
  readonly address?: string
}

/** Whether the caller may make a token with the scope: none wider than its own, and `admin` is the widest. */
export function mayGrant(caller: Caller, scope: string): boolean {
  return hasScope(caller, scope) || hasScope(caller, 'admin')
}

/** Names the token or sign-in by which the caller came, for `signInHolder`. */
export function signInOf({ tokenId, sessionId = '' }: Caller): string {
  return tokenId === undefined ? `session:${sessionId}` : `token:${tokenId}`
}

/** True when the caller's token carries the scope, or is not limited by scopes at all. */
export function hasScope(caller: Caller, scope: string): boolean {
  return caller.scopes === 'all' || caller.scopes.includes(scope)
}
