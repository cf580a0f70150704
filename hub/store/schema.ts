/** The hub's tables, as Kysely sees them. Times are epoch milliseconds; JSON columns hold text. */

import type { RunState } from '@fernlab/shared/contracts/run-state'
import type { Generated } from 'kysely'
import type { AccountsSchema } from '../accounts/tables.ts'
import type { BenchCareSchema } from '../bench-care/tables.ts'
import type { BookingsSchema } from '../bookings/tables.ts'
import type { CamerasSchema } from '../cameras/tables.ts'
import type { DirectorySchema } from '../directory/tables.ts'
import type { FleetSchema } from '../fleet/tables.ts'
import type { GroupsSchema } from '../groups/tables.ts'
import type { PermissionsSchema } from '../permissions/tables.ts'
import type { RecurringSchema } from '../recurring/tables.ts'
import type { SessionsSchema } from '../sessions/tables.ts'
import type { UsageSchema } from '../usage/tables.ts'

export interface RunTable {
  id: string
  person_id: string
  lab: string
  lab_version: number
  protocol: string
  protocol_digest: string
  restart: 'safe' | 'never'
  /** JSON, checked, in declared units. */
  parameters: string
  note: string | null
  /** Asked for by the person; null: any. */
  wanted_bench: string | null
  /** Lower is sooner. */
  priority: number
  state: RunState
  attempt: number
  /** `<node>.<bench>` of the present or last attempt. */
  bench: string | null
  fence: number | null
  /** When `assigned` was last sent, for overdue repair. */
  created_at: number
  /** When its waiting began to count; null: when it was created. */
  counts_from: number | null
  assigned_at: number | null
  started_at: number | null
  ended_at: number | null
  estimated_s: number | null
  cancel_requested: Generated<number>
  reason: string | null
  /** JSON LabError. */
  error: string | null
  /** JSON. */
  outputs: Generated<string>
  missing_outputs: Generated<string>
  /** Rows per stream of the latest attempt, JSON. */
  rows: Generated<string>
  data_removed_at: number | null
  idempotency_key: string | null
  /** Hash of the request body that the key came with. */
  request_hash: string | null
  /** The recurring run that made it; null: a person did. */
  recurring_id: string | null
  /** The booking whose bench it has. */
  booking_id: string | null
  /** The check of its bench that it is for; null: a person's. */
  bench_check: string | null
  /** When it has to leave its bench for a booking, and for which place of that. */
  bumped_at: number | null
  bumped_for: string | null
  /** Where it was asked for, while addresses are kept. */
  client_address: string | null
  /** ISO 3166-1, two letters; null: unknown. */
  country: string | null
  /** Since when it has a pseudonym instead of its person. */
  unnamed_at: number | null
}

/** Durable history of a run for `/events`: state changes, and what a person sees in its log. */
export interface RunEventTable {
  run_id: string
  /** Counts up within the run. */
  number: number
  at: number
  /** `state`, `outputs`, `note`. */
  name: string
  data: string
}

/** One row per document; event pages hold their columns in `body` (CBOR of the document as it came), pictures their file. */
export interface DocumentTable {
  id: Generated<number>
  run_id: string
  attempt: number
  seq: number
  name: 'start' | 'descriptor' | 'event_page' | 'picture' | 'stop'
  stream: string | null
  first_row: number | null
  row_count: number | null
  first_time: number | null
  last_time: number | null
  body: Uint8Array
}

/** What the hub has of each attempt: every document below `next_seq`. */
export interface AttemptTable {
  run_id: string
  attempt: number
  node: string
  bench: string
  fence: number
  next_seq: number
  state: string
  assigned_at: number
  ended_at: number | null
}

export interface LabTable {
  id: string
  version: number
  /** sha-256 of the files. */
  digest: string
  pushed_at: number
  pushed_by: string | null
  removed_at: number | null
}

/** Every version that was ever pushed, so that a run's protocol stays readable. */
export interface LabVersionTable {
  lab: string
  version: number
  digest: string
  /** JSON of LabBundle without file contents. */
  bundle: string
  created_at: number
}

export interface LabFileTable {
  lab: string
  version: number
  path: string
  body: Uint8Array
}

export interface NodeTable {
  id: string
  /** scrypt or sha-256 (of a random 256-bit secret) hash; null until enrolled. */
  credential_hash: string | null
  enrolled_at: number | null
  revoked_at: number | null
  last_seen_at: number | null
  online: number
  boot_id: string | null
  version: string | null
  /** JSON of the last inventory's instruments. */
  instruments: string
  /** JSON NodeHealth. */
  health: string | null
}

export interface EnrollmentTable {
  code_hash: string
  node: string
  created_by: string
  created_at: number
  expires_at: number
  used_at: number | null
}

export interface BenchTable {
  /** `<node>.<bench>`. */
  id: string
  node: string
  name: string
  title: string | null
  /** JSON part → instrument. */
  parts: string
  /** JSON list of lab ids, or null: any lab whose parts it provides. */
  labs: string | null
  state: 'free' | 'busy' | 'offline' | 'maintenance' | 'fault'
  reason: string | null
  since: number
  /** Last fencing token given out for this bench. */
  fence: number
  /** Run that holds it, or null. */
  run_id: string | null
  /** Person who drives it directly, or null. */
  leased_by: string | null
  lease: string | null
  lease_expires_at: number | null
  /** What for, as that person has said; null: nothing. */
  lease_reason: Generated<string | null>
  /** Why no run may have it until the staff have put it back, or null. */
  out_reason: string | null
}

export interface TokenTable {
  id: string
  person_id: string
  name: string
  token_hash: string
  /** JSON list. */
  scopes: string
  created_at: number
  expires_at: number | null
  last_used_at: number | null
  revoked_at: number | null
}

/** Role and language of a person; who they are is in better-auth's own tables (`user`, `session`, `account`, `verification`). */
export interface PersonTable {
  id: string
  role: 'admin' | 'instructor' | 'builder' | 'student' | 'guest'
  /** Of letters. */
  language: string | null
  time_zone: Generated<string | null>
  /** 0: wants none. */
  booking_letters: Generated<number>
  /** Since when the person may not sign in. */
  suspended_at: Generated<number | null>
}

/** One-time links: set-up, password reset. */
export interface OneTimeTable {
  token_hash: string
  purpose: 'setup' | 'password-reset' | 'second-step' | 'passkey' | 'passkey-sign-in'
  subject: string | null
  created_at: number
  expires_at: number
  used_at: number | null
}

/** Site settings that every hub process sees: retention, title. */
export interface SettingTable {
  name: string
  /** JSON. */
  value: string
  changed_at: number
  changed_by: string | null
}

export interface AuditTable {
  id: Generated<number>
  at: number
  person_id: string | null
  action: string
  subject: string
  detail: string
  /** Where it was done from, while addresses are kept; null also for what the site does by itself. */
  address: string | null
}

export interface HubSchema
  extends AccountsSchema,
    BenchCareSchema,
    DirectorySchema,
    FleetSchema,
    GroupsSchema,
    PermissionsSchema,
    SessionsSchema,
    BookingsSchema,
    CamerasSchema,
    RecurringSchema,
    UsageSchema {
  run: RunTable
  run_event: RunEventTable
  document: DocumentTable
  attempt: AttemptTable
  lab: LabTable
  lab_version: LabVersionTable
  lab_file: LabFileTable
  node: NodeTable
  enrollment: EnrollmentTable
  bench: BenchTable
  token: TokenTable
  person: PersonTable
  one_time: OneTimeTable
  setting: SettingTable
  audit: AuditTable
}
