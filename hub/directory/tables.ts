import type { Migration } from '@fernlab/shared/storage/database'

/** What each node has told of its services. */
export interface DirectoryNodeTable {
  node: string
  /** JSON list: where it is reached straight. */
  addresses: string
  told_at: number
}

export interface DirectoryServiceTable {
  node: string
  name: string
  /** JSON AnnouncedService. */
  told: string
}

/** A token for a node's services that may still be in use; the token itself is not kept. */
export interface ServiceTokenTable {
  /** `jti`. */
  id: string
  person_id: string
  /** The token or session by which it was asked for, as `signInOf` names it. */
  sign_in: string
  node: string
  /** JSON list. */
  rights: string
  /** The lease that it belongs to, and its bench, as `<node>.<bench>`. */
  bench: string | null
  lease: string | null
  expires_at: number
  /** Since when it is worth nothing. */
  revoked_at: number | null
}

export interface DirectorySchema {
  directory_node: DirectoryNodeTable
  directory_service: DirectoryServiceTable
  service_token: ServiceTokenTable
}

export const directoryMigration: Migration = {
  name: '035-directory',
  sql: `
CREATE TABLE directory_node (node TEXT PRIMARY KEY, addresses TEXT NOT NULL, told_at INTEGER NOT NULL) STRICT;
CREATE TABLE directory_service (
  node TEXT NOT NULL, name TEXT NOT NULL, told TEXT NOT NULL, PRIMARY KEY (node, name)
) STRICT;
CREATE TABLE service_token (
  id TEXT PRIMARY KEY, person_id TEXT NOT NULL, sign_in TEXT NOT NULL, node TEXT NOT NULL, rights TEXT NOT NULL,
  bench TEXT, lease TEXT, expires_at INTEGER NOT NULL, revoked_at INTEGER
) STRICT;
CREATE INDEX service_token_by_end ON service_token (expires_at);
`,
}
