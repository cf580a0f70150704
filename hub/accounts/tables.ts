import type { Migration } from '@fernlab/shared/storage/database'
import type { Generated } from 'kysely'

/** better-auth's own tables, as its schema wants them (`getMigrations` of better-auth 1.7); its times are ISO text. */
export interface UserTable {
  id: string
  name: string
  email: string
  emailVerified: number
  image: string | null
  createdAt: string
  updatedAt: string
}

export interface SessionTable {
  id: string
  expiresAt: string
  token: string
  createdAt: string
  updatedAt: string
  ipAddress: string | null
  userAgent: string | null
  userId: string
}

export interface AccountTable {
  id: string
  accountId: string
  providerId: string
  userId: string
  accessToken: string | null
  refreshToken: string | null
  idToken: string | null
  accessTokenExpiresAt: string | null
  refreshTokenExpiresAt: string | null
  scope: string | null
  /** better-auth's scrypt hash. */
  password: string | null
  createdAt: string
  updatedAt: string
}

export interface VerificationTable {
  id: string
  identifier: string
  value: string
  expiresAt: string
  createdAt: string
  updatedAt: string
}

/** Answers of unsafe calls that came with an `Idempotency-Key`; a day old ones are removed. */
export interface IdempotencyTable {
  person_id: string
  key: string
  request_hash: string
  /** Null while the first call is at work. */
  status: number | null
  body: string | null
  created_at: number
}

/** A link by which people make accounts of their own. */
export interface InvitationTable {
  id: string
  token_hash: string
  role: 'admin' | 'instructor' | 'builder' | 'student' | 'guest'
  note: string | null
  /** How many may join by it, and how many have. */
  most: number
  used: number
  created_by: string
  created_at: number
  expires_at: number
  revoked_at: number | null
  /** Into which whoever joins is put. */
  group_id: Generated<string | null>
  /** 0: only for people who have an account. */
  may_register: Generated<number>
}

/** A link that proves an address: of a person who wants it, or of somebody with this name who registers. */
export interface AddressLinkTable {
  token_hash: string
  email: string
  person_id: string | null
  name: string | null
  created_at: number
  expires_at: number
}

/** A person's authenticator app; asked at sign-in once it is confirmed. */
export interface SecondFactorTable {
  person_id: string
  /** The shared secret, sealed with the hub's own. */
  secret: string
  confirmed_at: number | null
  /** The last step of 30 s whose code was taken; no code up to it is taken again. */
  last_step: number
}

export interface RecoveryCodeTable {
  person_id: string
  code_hash: string
}

/** A browser that is not asked for a code. */
export interface TrustedBrowserTable {
  token_hash: string
  person_id: string
  created_at: number
  expires_at: number
}

export interface PasskeyTable {
  /** The credential's own id, base64url. */
  id: string
  person_id: string
  name: string
  /** COSE. */
  public_key: Uint8Array
  counter: number
  /** JSON list. */
  transports: string
  created_at: number
  last_used_at: number | null
}

/** A person who was put in by a list and has no link yet; the letter that takes it to them is on its way. */
export interface AccountLetterTable {
  person_id: string
  since: number
  /** When it is tried. */
  due_at: number
}

export interface AccountsSchema {
  account_letter: AccountLetterTable
  address_link: AddressLinkTable
  second_factor: SecondFactorTable
  recovery_code: RecoveryCodeTable
  trusted_browser: TrustedBrowserTable
  passkey: PasskeyTable
  user: UserTable
  session: SessionTable
  account: AccountTable
  verification: VerificationTable
  idempotency: IdempotencyTable
  invitation: InvitationTable
}

export const accountsMigration: Migration = {
  name: '002-accounts',
  sql: `
CREATE TABLE user (
  id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, emailVerified INTEGER NOT NULL,
  image TEXT, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
) STRICT;
CREATE TABLE session (
  id TEXT NOT NULL PRIMARY KEY, expiresAt TEXT NOT NULL, token TEXT NOT NULL UNIQUE, createdAt TEXT NOT NULL,
  updatedAt TEXT NOT NULL, ipAddress TEXT, userAgent TEXT, userId TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX session_user ON session (userId);
CREATE TABLE account (
  id TEXT NOT NULL PRIMARY KEY, accountId TEXT NOT NULL, providerId TEXT NOT NULL,
  userId TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE, accessToken TEXT, refreshToken TEXT, idToken TEXT,
  accessTokenExpiresAt TEXT, refreshTokenExpiresAt TEXT, scope TEXT, password TEXT, createdAt TEXT NOT NULL,
  updatedAt TEXT NOT NULL
) STRICT;
CREATE INDEX account_user ON account (userId);
CREATE TABLE verification (
  id TEXT NOT NULL PRIMARY KEY, identifier TEXT NOT NULL, value TEXT NOT NULL, expiresAt TEXT NOT NULL,
  createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
) STRICT;
CREATE INDEX verification_identifier ON verification (identifier);
CREATE TABLE idempotency (
  person_id TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, status INTEGER, body TEXT,
  created_at INTEGER NOT NULL, PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);
CREATE INDEX token_of_person ON token (person_id, id);
CREATE INDEX run_ended ON run (ended_at) WHERE ended_at IS NOT NULL AND data_removed_at IS NULL;
`,
}

export const invitationsMigration: Migration = {
  name: '004-invitations',
  sql: `
CREATE TABLE invitation (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, note TEXT, most INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0 CHECK (used <= most), created_by TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, revoked_at INTEGER
) STRICT;
`,
}

/** `account_letter`. */
export const accountLettersMigration: Migration = {
  name: '032-account-letters',
  sql: `
CREATE TABLE account_letter (person_id TEXT PRIMARY KEY, since INTEGER NOT NULL, due_at INTEGER NOT NULL) STRICT;
CREATE INDEX account_letter_due ON account_letter (due_at, person_id);
`,
}

/** `person.suspended_at`: since when the person is shut out. */
export const suspendedMigration: Migration = {
  name: '029-suspended',
  sql: 'ALTER TABLE person ADD COLUMN suspended_at INTEGER;',
}

export const signInMigration: Migration = {
  name: '008-sign-in',
  sql: `
CREATE TABLE address_link (
  token_hash TEXT PRIMARY KEY, email TEXT NOT NULL, person_id TEXT, name TEXT, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE second_factor (
  person_id TEXT PRIMARY KEY, secret TEXT NOT NULL, confirmed_at INTEGER, last_step INTEGER NOT NULL
) STRICT;
CREATE TABLE recovery_code (
  person_id TEXT NOT NULL, code_hash TEXT NOT NULL, PRIMARY KEY (person_id, code_hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE trusted_browser (
  token_hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX trusted_browser_of_person ON trusted_browser (person_id);
CREATE TABLE passkey (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, name TEXT NOT NULL, public_key BLOB NOT NULL, counter INTEGER NOT NULL,
  transports TEXT NOT NULL, created_at INTEGER NOT NULL, last_used_at INTEGER
) STRICT;
CREATE INDEX passkey_of_person ON passkey (person_id);
`,
}
