/** What the hub's database holds of people, column by column, and what becomes of it. */

/** `id`: who it was; `words`: what they are called, said or wrote, where they were, what opens something for them. */
type Holds = 'id' | 'words'
/** `pseudonym`: nobody can tell any more who it was. */
type Fate = 'gone' | 'stays' | 'pseudonym'

export interface KeptColumn {
  readonly holds: Holds
  /** When the person closes their account: whose it was is then an id without a name. */
  readonly closing: Fate
  /** When the rules for names and addresses have passed, for somebody who has not left. */
  readonly old: Fate
  readonly why: string
}

const kept = (holds: Holds, closing: Fate, old: Fate, why: string): KeptColumn => ({ holds, closing, old, why })
const id = (closing: Fate, old: Fate, why: string) => kept('id', closing, old, why)
const words = (closing: Fate, old: Fate, why: string) => kept('words', closing, old, why)

const account = 'the account itself'
const keys = 'opens something for the person'
const answer = 'for staff: who did it'
const use = 'a use of a bench'
const ended = 'a week after it has ended'

export const ofPeople: Readonly<Record<string, KeptColumn>> = {
  'user.id': id('stays', 'stays', 'what stays of the person points here'),
  'user.name': words('gone', 'stays', account),
  'user.email': words('gone', 'stays', account),
  'user.image': words('gone', 'stays', account),
  'person.id': id('gone', 'stays', account),
  'person.time_zone': words('gone', 'stays', account),
  'account.userId': id('gone', 'stays', keys),
  'account.accountId': id('gone', 'stays', keys),
  'account.password': words('gone', 'stays', keys),
  'session.userId': id('gone', 'gone', ended),
  'session.ipAddress': words('gone', 'gone', ended),
  'session.userAgent': words('gone', 'gone', ended),
  'session.token': words('gone', 'gone', ended),
  'account_letter.person_id': id('gone', 'stays', 'until its letter has gone, three days at most'),
  'address_link.person_id': id('gone', 'gone', ended),
  'address_link.email': words('gone', 'gone', ended),
  'address_link.name': words('gone', 'gone', ended),
  'audit.person_id': id('stays', 'stays', `${answer}; of a booking and a direct use, their pseudonym`),
  'audit.subject': id('stays', 'stays', answer),
  'audit.detail': words(
    'gone',
    'stays',
    'names of tokens, passkeys and recurring runs, notes of permissions, what benches were taken for, why such a hold was ended',
  ),
  'audit.address': words('gone', 'gone', answer),
  'bench.leased_by': id('stays', 'stays', 'until the lease ends, minutes later'),
  'bench.lease_reason': words('gone', 'stays', 'what for, until the lease ends, minutes later'),
  'bench_history.by': id('stays', 'stays', answer),
  'bench_letters.person_id': id('gone', 'stays', account),
  'bench_outage.created_by': id('stays', 'stays', answer),
  'bench_outage.ended_by': id('stays', 'stays', answer),
  'booking.person_id': id('stays', 'pseudonym', use),
  'booking.created_by': id('stays', 'pseudonym', use),
  'booking.note': words('gone', 'gone', use),
  'booking_notice.person_id': id('gone', 'gone', use),
  'booking_notice.detail': words('gone', 'gone', use),
  'booking_series.person_id': id('stays', 'gone', use),
  'direct_use.person_id': id('stays', 'pseudonym', use),
  'direct_use.client_address': words('gone', 'gone', use),
  'direct_command.client_address': words('gone', 'gone', use),
  'directory_service.told': id('stays', 'stays', 'who has locked it, and why, until the lock ends'),
  'document.body': id('stays', 'pseudonym', 'who gave the commands of a session'),
  'enrollment.created_by': id('stays', 'stays', answer),
  'group_member.person_id': id('gone', 'stays', account),
  'idempotency.person_id': id('gone', 'gone', ended),
  'idempotency.key': words('gone', 'gone', ended),
  'idempotency.body': words('gone', 'gone', ended),
  'invitation.created_by': id('stays', 'stays', answer),
  'invitation.note': words('gone', 'stays', account),
  'lab.pushed_by': id('stays', 'stays', answer),
  'live_chat.person_id': id('gone', 'stays', 'gone when its session ends'),
  'live_chat.text': words('gone', 'stays', 'gone when its session ends'),
  'live_partner.person_id': id('gone', 'pseudonym', use),
  'one_time.subject': id('gone', 'gone', ended),
  'passkey.person_id': id('gone', 'stays', keys),
  'passkey.name': words('gone', 'stays', keys),
  'permission.subject': id('gone', 'stays', account),
  'permission.note': words('gone', 'stays', account),
  'recovery_code.person_id': id('gone', 'stays', keys),
  'recurring.person_id': id('stays', 'stays', answer),
  'recurring.name': words('gone', 'stays', 'what the person calls it'),
  'run.person_id': id('stays', 'pseudonym', use),
  'run.note': words('gone', 'gone', use),
  'run.client_address': words('gone', 'gone', use),
  'run.idempotency_key': words('gone', 'gone', use),
  'run_download.person_id': id('stays', 'pseudonym', use),
  'second_factor.person_id': id('gone', 'stays', keys),
  'second_factor.secret': words('gone', 'stays', keys),
  'service_token.person_id': id('stays', 'gone', 'for an hour at most, so that its node is told of its end'),
  'setting.changed_by': id('stays', 'stays', answer),
  'token.person_id': id('gone', 'stays', keys),
  'token.name': words('gone', 'stays', keys),
  'trusted_browser.person_id': id('gone', 'gone', ended),
}

/** Every other column of texts and bytes: it tells of benches, labs, results and rules, or is a hash. */
export const ofNobody: Readonly<Record<string, string>> = {
  account:
    'id providerId accessToken refreshToken idToken accessTokenExpiresAt refreshTokenExpiresAt scope createdAt updatedAt',
  address_link: 'token_hash',
  attempt: 'run_id node bench state',
  audit: 'action',
  bench: 'id node name title parts labs state reason run_id lease out_reason',
  bench_check: 'bench name reason run_id',
  bench_history: 'bench state cause reason letter run_id',
  bench_outage: 'id bench reason weekly',
  booking: 'id series_id lab wanted_bench state group_id run_id cancel_reason',
  booking_notice: 'id booking_id group_id what letter',
  booking_series: 'id lab weekly',
  direct_command: 'use_id sets reads answer error way',
  direct_use: 'id bench country ended_why',
  directory_node: 'node addresses',
  directory_service: 'node name',
  document: 'run_id name stream',
  enrollment: 'code_hash node',
  group_member: 'group_id role',
  idempotency: 'request_hash',
  invitation: 'id token_hash role group_id',
  lab: 'id digest',
  lab_file: 'lab path body',
  lab_version: 'lab digest bundle',
  live_chat: 'run_id id',
  live_partner: 'run_id',
  live_session: 'run_id stage invite_hash next_id',
  migration: 'name',
  node: 'id credential_hash boot_id version instruments health',
  one_time: 'token_hash purpose',
  passkey: 'id public_key transports',
  people_group: 'id name kind within',
  permission: 'id subject_kind lab protocols gives',
  permission_template: 'id title gives',
  person: 'role language',
  // What is in front of a camera; it goes with the samples of its run.
  recording: 'run_id part times pictures',
  recovery_code: 'code_hash',
  recurring: 'id lab protocol parameters wanted_bench cron time_zone overlap missed paused_for',
  recurring_time: 'recurring_id outcome run_id error',
  run: 'id lab protocol protocol_digest restart parameters wanted_bench state bench reason error outputs missing_outputs rows request_hash recurring_id booking_id country bench_check bumped_for',
  run_download: 'run_id what',
  run_event: 'run_id name data',
  service_token: 'id sign_in node rights bench lease',
  session: 'id expiresAt createdAt updatedAt',
  setting: 'name value',
  token: 'id token_hash scopes',
  trusted_browser: 'token_hash',
  user: 'createdAt updatedAt',
  verification: 'id identifier value expiresAt createdAt updatedAt',
}
