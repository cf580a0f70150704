/** Groups and permissions of the stand-in hub, from memory. */
import type { Me, PersonInfo } from '@fernlab/shared/contracts/api'
import type { ChangeGroup, Group, GroupMember } from '@fernlab/shared/contracts/groups'
import type {
  ChangePermission,
  EffectivePermission,
  Permission,
  PermissionTemplate,
  Subject,
} from '@fernlab/shared/contracts/permissions'
import { termNames, usualTerms } from '@fernlab/shared/contracts/terms'
import { people } from './fake-staff.ts'

const group = (id: string, name: string, more: Partial<Group> = {}): Group => ({
  id,
  name,
  kind: 'group',
  people: 1,
  instructors: [],
  sees: true,
  manages: true,
  ...more,
})

const firstTemplates: readonly PermissionTemplate[] = [
  { id: 'class', title: 'A class', gives: { ...usualTerms, mostOpen: 5, dayS: 7200 } },
]

export interface FakePermissions {
  /** What the student on the page may; the usual unless set. */
  may: Partial<EffectivePermission>
  /** Answers the call, or undefined for one that is not of these. */
  answer(call: string, url: URL, body: unknown, role: Me['role']): { status: number; body?: unknown } | undefined
}

export function fakePermissions(): FakePermissions {
  let groups: Group[] = [
    group('school', 'School', { people: 2 }),
    group('optics', 'Optics, spring', {
      kind: 'course',
      within: 'school',
      from: '2027-02-01T08:00:00.000Z',
      until: '2027-06-30T18:00:00.000Z',
      people: 2,
      instructors: [{ id: 'p2', name: 'Bo Lindqvist' }],
    }),
  ]
  const [, bo, chiamaka] = people
  const members: GroupMember[] = [bo, chiamaka].flatMap((person) =>
    person === undefined ? [] : [memberOf(person, person.role === 'instructor' ? 'instructor' : 'member')],
  )
  let permissions: Permission[] = [
    { id: 'everyone', subject: { kind: 'everyone' }, lab: null, protocols: null, gives: usualTerms },
    {
      id: 'q1',
      subject: { kind: 'group', id: 'optics' },
      subjectName: 'Optics, spring',
      lab: 'rc-circuit',
      protocols: ['charge-curve'],
      until: '2027-06-30T18:00:00.000Z',
      note: 'First weeks',
      gives: { ...usualTerms, priority: 3, mostOpen: 5, dayS: 7200 },
    },
  ]
  let templates = [...firstTemplates]
  let made = 0
  const merged = (old: Permission, { gives, ...change }: ChangePermission): Permission => ({
    ...changed(old, change, ['from', 'until', 'note']),
    gives: { ...old.gives, ...gives } as Permission['gives'],
  })
  const fake: FakePermissions = {
    may: {},
    answer: (call, url, body, role) => {
      const [method] = call.split(' ')
      const [, , , collection, id = '', verb = ''] = url.pathname.split('/')
      const ok = (answer?: unknown, status = 200) => ({ status, body: answer })
      if (collection === 'labs' && verb === 'permission') {
        const unlimited = role === 'admin'
        return ok({
          unlimited,
          gives: usualTerms,
          sources: unlimited ? {} : Object.fromEntries(termNames.map((term) => [term, 'everyone'])),
          permissions: unlimited ? [] : permissions.filter((one) => one.id === 'everyone'),
          protocols: ['charge-curve', 'frequency-response'],
          booking: {
            may: (fake.may.gives ?? usualTerms).mayBook,
            longestS: 3600,
            aheadS: 14 * 86_400,
            most: 3,
            left: 3,
            dayLeftS: null,
            weekLeftS: null,
          },
          used: { open: 1, dayS: 720, weekS: 720 },
          dayEnds: '2027-01-02T00:00:00.000Z',
          weekEnds: '2027-01-04T00:00:00.000Z',
          ask: ['Bo Lindqvist'],
          ...fake.may,
        })
      }
      if (collection === 'groups') {
        const found = groups.find((one) => one.id === id)
        if (call === 'GET /api/v1/groups') {
          const staff = role === 'admin' || role === 'instructor'
          const shown = groups.map((one) => (staff ? one : { ...one, sees: false, manages: false, mine: 'member' }))
          return ok({ items: shown })
        }
        if (call === 'POST /api/v1/groups') {
          const fresh = group('', '', { ...(body as Partial<Group>), people: 0 })
          groups = [...groups, fresh]
          return ok(fresh, 201)
        }
        if (found === undefined) return { status: 404 }
        if (verb === 'removal') return ok({ people: 2, inner: ['monday'], invitations: 1, permissions: 1 })
        if (verb === 'members') {
          const { add = [], remove = [] } = (body ?? {}) as {
            add?: { who: string; role: 'member' }[]
            remove?: string[]
          }
          if (method === 'GET') {
            const q = (url.searchParams.get('q') ?? '').toLowerCase()
            const found = members.filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(q))
            return ok({ items: id === 'optics' ? found : [] })
          }
          const unknown = add.find(({ who }) => !people.some((one) => one.id === who || one.email === who))
          if (unknown !== undefined) {
            const issues = [{ path: 'add[0].who', message: `${unknown.who} is nobody with an account here` }]
            return ok({ status: 422, code: 'members-invalid', detail: 'some have no account', issues }, 422)
          }
          for (const who of remove)
            members.splice(
              members.findIndex((one) => one.id === who),
              1,
            )
          for (const { who, role: as } of add) {
            const person = people.find((one) => one.id === who || one.email === who)
            const at = members.findIndex((one) => one.id === person?.id)
            if (at >= 0) members.splice(at, 1)
            if (person !== undefined) members.push(memberOf(person, as))
          }
          return ok({ added: add.length, changed: 0, removed: remove.length })
        }
        if (method === 'DELETE') {
          groups = groups.filter((one) => one.id !== id)
          return { status: 204 }
        }
        if (method === 'PUT') {
          const now = changed(found, body as ChangeGroup, ['within', 'from', 'until'])
          groups = groups.map((one) => (one.id === id ? now : one))
          return ok(now)
        }
        return ok(found)
      }
      if (collection === 'permission-templates') {
        if (method === 'GET') return ok({ items: templates })
        const found = templates.find((one) => one.id === id)
        if (verb === 'apply' && found !== undefined) {
          const { subjects, labs, preview } = body as { subjects: Subject[]; labs: (string | null)[]; preview: boolean }
          const all = subjects.flatMap((subject) => labs.map((lab) => ({ subject, lab })))
          const isThere = ({ subject, lab }: (typeof all)[number]) =>
            permissions.some((one) => one.lab === lab && JSON.stringify(one.subject) === JSON.stringify(subject))
          const items = all
            .filter((one) => !isThere(one))
            .map((one) => ({ ...one, id: `given-${made++}`, protocols: null, gives: found.gives }))
          if (!preview) permissions = [...permissions, ...items]
          return ok({ items, already: all.length - items.length })
        }
        templates = templates.filter((one) => one.id !== id)
        if (method === 'DELETE') return { status: 204 }
        const saved = { id, ...(body as Omit<PermissionTemplate, 'id'>) }
        templates = [...templates, saved]
        return ok(saved)
      }
      if (collection !== 'permissions') return undefined
      if (call === 'GET /api/v1/permissions') {
        const [lab, kind] = [url.searchParams.get('lab'), url.searchParams.get('kind')]
        const items = permissions.filter(
          (one) =>
            (lab === null || one.lab === null || one.lab === lab) && (kind === null || one.subject.kind === kind),
        )
        return ok({ items })
      }
      if (id === 'bulk') {
        const { ids, change, preview } = body as { ids: string[]; change?: ChangePermission; preview?: boolean }
        const before = permissions.filter((one) => ids.includes(one.id))
        if (change === undefined) {
          permissions = permissions.filter((one) => !ids.includes(one.id))
          return ok({ items: before.map((one) => ({ before: one, after: null })) })
        }
        if (!preview) permissions = permissions.map((one) => (ids.includes(one.id) ? merged(one, change) : one))
        return ok({ items: before.map((one) => ({ before: one, after: merged(one, change) })) })
      }
      const old = permissions.find((one) => one.id === id)
      if (method === 'POST') {
        const base = old ?? { id: '', subject: { kind: 'everyone' }, lab: null, protocols: null, gives: usualTerms }
        const { template: _, ...wanted } = body as ChangePermission & { template?: string }
        const fresh = { ...merged(base, wanted), id: `made-${made++}` }
        permissions = [...permissions, fresh]
        return ok(fresh, 201)
      }
      if (method === 'DELETE') {
        permissions = permissions.filter((one) => one.id !== id)
        return { status: 204 }
      }
      if (old === undefined) return { status: 404 }
      permissions = permissions.map((one) => (one.id === id ? merged(one, body as ChangePermission) : one))
      return ok(permissions.find((one) => one.id === id))
    },
  }
  return fake
}

/** What is left out stays; null takes away what may be missing. */
function changed<Thing extends object>(old: Thing, change: object, optional: readonly string[]): Thing {
  const entries = Object.entries({ ...old, ...change })
  return Object.fromEntries(entries.filter(([name, value]) => value !== null || !optional.includes(name))) as Thing
}

const memberOf = ({ id, name, email }: PersonInfo, role: GroupMember['role']): GroupMember => ({
  id,
  name,
  email,
  role,
})
