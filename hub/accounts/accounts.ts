/** Who people are: sign-in, the set-up link, API tokens, lost passwords. The one face of identity for the whole hub. */
import type { Token } from '@fernlab/shared/contracts/api'
import type { Caller, Person } from './caller.ts'

export type { Caller, Person, Role } from './caller.ts'

/** What the settings say about identity. */
export interface AccountsConfig {
  readonly site: string
  /** Where people reach the hub; asked when a link is made, since the port may be chosen late. */
  readonly publicUrl: () => string
  /** True when people come over HTTPS: cookies are then `Secure`. */
  readonly secure: boolean
  /** Folder with the hub's own files; the signing secret is kept here. */
  readonly dataFolder: string
  readonly adminEmail?: string
  readonly adminPassword?: string
  /** 32 characters or more. */
  readonly adminToken?: string
}

export interface Accounts {
  /** The person behind a bearer token or a session cookie; undefined for strangers, expired and revoked ones. */
  authenticate(headers: Headers): Promise<Caller | undefined>
  verifyToken(token: string): Promise<Caller | undefined>
  /** Calls back with the id of each token that is revoked; returns how to stop. */
  onRevoked(listener: (tokenId: string) => void): () => void
  person(id: string): Promise<Person | undefined>
  people(page: { limit: number; cursor?: string }): Promise<{ items: Person[]; cursor?: string }>
  /** True until the first admin exists. */
  setupNeeded(): Promise<boolean>
  /** The address of a new one-time set-up link while there is no admin; earlier links stop working. */
  ensureSetupLink(): Promise<string | undefined>
  /** Creates the first admin and signs in: the answer carries the session cookie. */
  setup(
    input: { token: string; name: string; email: string; password: string },
    headers: Headers,
  ): Promise<{ person: Person; cookies: readonly string[] }>
  /** Answers the allow-listed calls below `/api/auth/`; undefined for all others. */
  handle(request: Request, clientAddress: string): Promise<Response | undefined>
  createToken(
    person: { readonly personId: string },
    input: { name: string; scopes: readonly string[]; expiresInDays?: number | undefined },
  ): Promise<Token & { token: string }>
  tokens(personId: string): Promise<Token[]>
  /** Takes effect at once; false when the person has no such token. */
  revokeToken(personId: string, tokenId: string): Promise<boolean>
  /** Sends a one-time link where the address is known; says nothing about whether it is. */
  forgotPassword(email: string): Promise<void>
  /** Sets a new password by a one-time link and ends every session of that person. */
  resetPassword(token: string, password: string): Promise<void>
  /** Writes down what is still in memory (when tokens were last used); idempotent. */
  close(): Promise<void>
}
