import type { SessionStage } from '@fernlab/shared/contracts/session-columns'
import type { Migration } from '@fernlab/shared/storage/database'

/** What a live session is besides its run. */
export interface LiveSessionTable {
  run_id: string
  /** As its node has told in documents. */
  stage: SessionStage
  /** How long it is by now. */
  seconds: number
  active_at: number | null
  ends_at: number | null
  /** Of the link by which partners come; null: nobody is invited. */
  invite_hash: string | null
  /** The session that has the rest of its time, after it was ended for a booking or lost its bench. */
  next_id: string | null
}

export interface LivePartnerTable {
  run_id: string
  person_id: string
  joined_at: number
}

/** What was said in a session that is not over. */
export interface LiveChatTable {
  run_id: string
  /** In the order of being said. */
  id: string
  person_id: string
  text: string
  at: number
}

export interface SessionsSchema {
  live_session: LiveSessionTable
  live_partner: LivePartnerTable
  live_chat: LiveChatTable
}

/** `bench.out_reason`: a clean-up was not done; no run is given the bench until the staff have put it back. */
export const sessionsMigration: Migration = {
  name: '007-sessions',
  sql: `
CREATE TABLE live_session (
  run_id TEXT PRIMARY KEY, stage TEXT NOT NULL, seconds REAL NOT NULL, active_at INTEGER, ends_at INTEGER,
  invite_hash TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX live_session_invite ON live_session (invite_hash) WHERE invite_hash IS NOT NULL;
CREATE TABLE live_partner (
  run_id TEXT NOT NULL, person_id TEXT NOT NULL, joined_at INTEGER NOT NULL, PRIMARY KEY (run_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_partner_of ON live_partner (person_id, run_id);
ALTER TABLE bench ADD COLUMN out_reason TEXT;
`,
}

export const chatMigration: Migration = {
  name: '022-session-chat',
  sql: `
CREATE TABLE live_chat (
  run_id TEXT NOT NULL, id TEXT NOT NULL, person_id TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (run_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_chat_of ON live_chat (person_id);
`,
}
