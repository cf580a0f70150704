/** What the hub keeps of a person besides the account, the keys to it, and runs: for the person's own export. */
import type { Traces } from '@fernlab/shared/contracts/account-export'
import type { Store } from '../store/store.ts'

type Exchange = Traces['directUses'][number]['exchanges'][number]

const time = (ms: number) => new Date(ms).toISOString()

/** Sessions and groups; what the person made, booked and was allowed; where they asked from; what the audit log says. */
export async function tracesOf({ db }: Pick<Store, 'db'>, personId: string): Promise<Traces> {
  const sessions = await db
    .selectFrom('session')
    .select(['createdAt', 'updatedAt as lastSeenAt', 'expiresAt', 'ipAddress as address', 'userAgent'])
    .where('userId', '=', personId)
    .orderBy('createdAt')
    .execute()
  const entries = await db
    .selectFrom('audit')
    .select(['at', 'action', 'subject', 'address', 'detail'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  const made = await db
    .selectFrom('invitation')
    .select(['id', 'role', 'note', 'most', 'used', 'created_at', 'expires_at', 'revoked_at'])
    .where('created_by', '=', personId)
    .orderBy('id')
    .execute()
  const memberships = await db
    .selectFrom('group_member')
    .innerJoin('people_group', 'people_group.id', 'group_member.group_id')
    .select(['people_group.id', 'name', 'role', 'added_at'])
    .where('person_id', '=', personId)
    .orderBy('people_group.id')
    .execute()
  const origins = await db
    .selectFrom('run')
    .select(['id', 'client_address', 'country'])
    .where('person_id', '=', personId)
    .where(({ or, eb }) => or([eb('client_address', 'is not', null), eb('country', 'is not', null)]))
    .orderBy('id')
    .execute()
  const downloads = await db
    .selectFrom('run_download')
    .select(['run_id', 'at', 'what'])
    .where('person_id', '=', personId)
    .orderBy('at')
    .execute()
  const driven = await db.selectFrom('direct_use').selectAll().where('person_id', '=', personId).orderBy('id').execute()
  const exchanged = await db
    .selectFrom('direct_command')
    .innerJoin('direct_use', 'direct_use.id', 'direct_command.use_id')
    .selectAll('direct_command')
    .where('person_id', '=', personId)
    .orderBy('direct_command.id')
    .execute()
  const exchanges = new Map<string, Exchange[]>(driven.map(({ id }) => [id, []]))
  for (const { use_id, at, way, client_address, sets, reads, answer, error } of exchanged) {
    exchanges.get(use_id)?.push({
      at: time(at),
      way,
      address: client_address,
      set: JSON.parse(sets) as Exchange['set'],
      read: JSON.parse(reads) as Exchange['read'],
      ...(answer === null ? {} : { answer: JSON.parse(answer) as Record<string, unknown> }),
      ...(error === null ? {} : { error }),
    })
  }
  const bookings = await db
    .selectFrom('booking')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('starts_at')
    .execute()
  const series = await db
    .selectFrom('booking_series')
    .select(['id', 'lab', 'weekly', 'created_at'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  const recurring = await db
    .selectFrom('recurring')
    .select(['id', 'name', 'lab', 'protocol', 'parameters', 'cron', 'time_zone', 'paused_for', 'created_at'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  const permissions = await db
    .selectFrom('permission')
    .select(['lab', 'protocols', 'starts_at', 'ends_at', 'note', 'gives', 'created_at'])
    .where('subject_kind', '=', 'person')
    .where('subject', '=', personId)
    .orderBy('id')
    .execute()
  const joined = await db
    .selectFrom('live_partner')
    .select(['run_id', 'joined_at'])
    .where('person_id', '=', personId)
    .orderBy('joined_at')
    .execute()
  const said = await db
    .selectFrom('live_chat')
    .select(['run_id', 'at', 'text'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  const notices = await db
    .selectFrom('booking_notice')
    .select(['booking_id', 'what', 'at'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  const letters = await db.selectFrom('bench_letters').select('wanted').where('person_id', '=', personId).execute()
  return {
    sessions,
    origins: origins.map(({ id, client_address, country }) => ({ run: id, address: client_address, country })),
    downloads: downloads.map(({ run_id, at, what }) => ({ run: run_id, at: time(at), what })),
    directUses: driven.map(({ id, bench, client_address, country, started_at, ended_at, ended_why }) => ({
      id,
      bench,
      address: client_address,
      country,
      from: time(started_at),
      until: ended_at === null ? null : time(ended_at),
      ended: ended_why,
      exchanges: exchanges.get(id) ?? [],
    })),
    groups: memberships.map(({ added_at, ...group }) => ({ ...group, since: time(added_at) })),
    invitations: made.map(({ id, role, note, most, used, created_at, expires_at, revoked_at }) => ({
      id,
      role,
      note,
      most,
      used,
      createdAt: time(created_at),
      expiresAt: time(expires_at),
      revokedAt: revoked_at === null ? null : time(revoked_at),
    })),
    bookings: bookings.map(({ id, state, lab, starts_at, ends_at, places, note }) => ({
      id,
      state,
      lab,
      start: time(starts_at),
      end: time(ends_at),
      places,
      ...(note === null ? {} : { note }),
    })),
    series: series.map(({ id, lab, weekly, created_at }) => ({
      id,
      lab,
      weekly: JSON.parse(weekly) as Traces['series'][number]['weekly'],
      createdAt: time(created_at),
    })),
    recurring: recurring.map(({ parameters, time_zone, paused_for, created_at, ...one }) => ({
      ...one,
      parameters: JSON.parse(parameters) as Traces['recurring'][number]['parameters'],
      timeZone: time_zone,
      pausedFor: paused_for,
      createdAt: time(created_at),
    })),
    permissions: permissions.map(({ protocols, starts_at, ends_at, gives, created_at, ...one }) => ({
      ...one,
      protocols: protocols === null ? null : (JSON.parse(protocols) as string[]),
      from: starts_at === null ? null : time(starts_at),
      until: ends_at === null ? null : time(ends_at),
      gives: JSON.parse(gives) as Traces['permissions'][number]['gives'],
      createdAt: time(created_at),
    })),
    partnerIn: joined.map(({ run_id, joined_at }) => ({ session: run_id, since: time(joined_at) })),
    chat: said.map(({ run_id, at, text }) => ({ session: run_id, at: time(at), text })),
    notices: notices.map(({ booking_id, what, at }) => ({ booking: booking_id, what, at: time(at) })),
    letters: letters.map(({ wanted }) => ({ ofBenches: wanted === 1 })),
    audit: entries.map(({ at, detail, ...entry }) => ({
      at: time(at),
      ...entry,
      detail: JSON.parse(detail) as Traces['audit'][number]['detail'],
    })),
  }
}
