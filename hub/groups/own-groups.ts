/**
 * The groups that somebody was put into, and leaving them.
 *
 * INVARIANTS: of two instructors who leave at once one stays: the database refuses the second.
 */
import type { OwnGroup, StayReason } from '@fernlab/shared/contracts/groups'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Compilable } from 'kysely'
import type { Store } from '../store/store.ts'

interface Membership {
  readonly kind: 'group' | 'course'
  readonly ends_at: number | null
  readonly role: 'member' | 'instructor'
}

/** Why somebody stays in it, with so many instructors. Pure. */
export function stayReason(
  { kind, ends_at, role }: Membership,
  instructors: number,
  nowMs: number,
): StayReason | undefined {
  if (role === 'instructor') return instructors > 1 ? undefined : 'last-instructor'
  return kind === 'course' && (ends_at ?? Number.POSITIVE_INFINITY) > nowMs ? 'course' : undefined
}

/** By name, those that the person is in directly. */
export async function ownGroups(db: Store['db'], clock: Clock, personId: string): Promise<OwnGroup[]> {
  const rows = await db
    .selectFrom('group_member')
    .innerJoin('people_group', 'people_group.id', 'group_member.group_id')
    .select(['people_group.id', 'name', 'kind', 'starts_at', 'ends_at', 'role', 'added_at'])
    .where('person_id', '=', personId)
    .orderBy('name')
    .execute()
  if (rows.length === 0) return []
  const instructors = await db
    .selectFrom('group_member')
    .innerJoin('user', 'user.id', 'group_member.person_id')
    .select(['group_id', 'user.name'])
    .where('role', '=', 'instructor')
    .where(
      'group_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('user.name')
    .execute()
  const now = clock.now()
  return rows.map(({ starts_at, ends_at, added_at, ...row }) => {
    const names = instructors.filter(({ group_id }) => group_id === row.id).map(({ name }) => name)
    const stays = stayReason({ ...row, ends_at }, names.length, now)
    return {
      ...row,
      since: time(added_at),
      ...(starts_at === null ? {} : { from: time(starts_at) }),
      ...(ends_at === null ? {} : { until: time(ends_at) }),
      instructors: names,
      ...(stays === undefined ? {} : { stays }),
    }
  })
}

/** Takes the person out; throws `group-unknown` where they are not in it directly, and `group-stays`. */
export async function leaveGroup(options: {
  store: Store
  clock: Clock
  personId: string
  id: string
  entry: Compilable
}): Promise<void> {
  const { store, clock, personId, id, entry } = options
  const { db } = store
  const requireLeaving = async (): Promise<OwnGroup> => {
    const group = (await ownGroups(db, clock, personId)).find((own) => own.id === id)
    if (group === undefined) throw notIn(id)
    if (group.stays !== undefined) throw stays(group)
    return group
  }
  const { role } = await requireLeaving()
  const leave = db
    .deleteFrom('group_member')
    .where('group_id', '=', id)
    .where('person_id', '=', personId)
    .where('role', '=', role)
  const query =
    role === 'member'
      ? leave
      : leave.where(({ exists, selectFrom }) =>
          exists(
            selectFrom('group_member as other')
              .select('other.person_id')
              .where('other.group_id', '=', id)
              .where('other.role', '=', 'instructor')
              .where('other.person_id', '!=', personId),
          ),
        )
  try {
    await store.write([{ query, expect: 1 }, entry])
  } catch (error) {
    if (asLabError(error).code !== 'precondition-failed') throw error
    // Somebody was faster: what holds now says why.
    await requireLeaving()
    throw notIn(id)
  }
}

const time = (atMs: number) => new Date(atMs).toISOString()

const notIn = (id: string) =>
  new LabError({
    code: 'group-unknown',
    kind: 'caller',
    message: `the group ${id} does not exist, or one is not in it`,
  })

const stays = ({ id, stays }: OwnGroup) =>
  new LabError({
    code: 'group-stays',
    kind: 'caller',
    ...(stays === 'course'
      ? {
          message: `${id} is a course: its instructors take people out`,
          studentMessage: 'A course is not left by oneself. Ask its instructors to take you out.',
        }
      : {
          message: `${id} would have no instructor: make somebody else one first`,
          studentMessage: 'You are its only instructor. Make somebody else one first.',
        }),
  })
