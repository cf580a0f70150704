/** The people of the stand-in for the hub, and what was changed there. */
import type { Me } from '@fernlab/shared/contracts/api'
import { type Area, json, listed, paged, problem } from './fake-answers.ts'
import { auditEntries, invitations, people } from './fake-staff.ts'
import type { FakeState } from './fake-state.ts'

/** The objects of `/api/v1/users`, `/api/v1/invitations` and `/api/v1/audit`. */
export function fakePeople(hub: Pick<FakeState, 'empty'>): Area {
  const roles = new Map<string, Me['role']>()
  /** Whose second factor was taken away. */
  const withoutFactor = new Set<string>()
  const suspended = new Set<string>()
  const takenBack = new Set<string>()

  return ({ call, url, body, collection, id, verb }) => {
    if (call === 'GET /api/v1/users') {
      const q = (url.searchParams.get('q') ?? '').toLowerCase()
      return json({
        items: people
          .filter(({ role }) => !url.searchParams.has('group') || role === 'student')
          .map(({ secondFactor, ...person }) => ({
            ...person,
            role: roles.get(person.id) ?? person.role,
            ...(secondFactor === true && !withoutFactor.has(person.id) ? { secondFactor } : {}),
            ...(suspended.has(person.id) ? { suspendedAt: new Date().toISOString() } : {}),
          }))
          .filter(({ role }) => (url.searchParams.get('role') ?? role) === role)
          .filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(q)),
      })
    }
    if (call === 'GET /api/v1/users/import') return json({ items: [] })
    if (call === 'POST /api/v1/users/import') {
      const { csv, role, preview } = body as { csv: string; role: Me['role']; preview: boolean }
      const lines = csv.trim().split('\n').slice(1)
      const wrong = lines.findIndex((line) => !line.includes('@'))
      if (wrong >= 0) {
        return problem(422, 'import-invalid', {
          hint: 'The list has mistakes. Nobody was made: mend the lines below and choose the list again.',
          issues: [
            {
              path: `csv[${wrong + 2}].email`,
              message: `line ${wrong + 2}: "${lines[wrong]?.split(',')[1]}" is not a mail address`,
            },
          ],
        })
      }
      const imported = lines.map((text, index) => {
        const [name = '', email = ''] = text.split(',')
        const known = people.some((person) => person.email === email)
        const { group } = body as { group?: string }
        const link = known || preview ? {} : { link: `https://lab.school.example/reset#token=t${index}` }
        return { line: index + 2, name, email, role, groups: group === undefined ? [] : [group], known, ...link }
      })
      const fresh = imported.filter(({ known }) => !known).length
      const joining = imported.filter(({ known, groups }) => known && groups.length > 0).length
      return json({ letters: false, count: imported.length, fresh, joining, people: imported })
    }
    if (collection === 'users' && (verb === 'suspend' || verb === 'restore')) {
      if (verb === 'suspend') suspended.add(id)
      else suspended.delete(id)
      return json(undefined, 204)
    }
    if (collection === 'users' && (verb === 'second-factor' || verb === 'revoke-tokens')) {
      if (verb === 'second-factor') withoutFactor.add(id)
      return json(undefined, 204)
    }
    if (collection === 'users') {
      const { role } = body as { role: Me['role'] }
      if (id === 'p1' && role !== 'admin') {
        return problem(409, 'last-admin', { hint: 'This is the only admin who can sign in.' })
      }
      roles.set(id, role)
      return json({ ...people.find((person) => person.id === id), role })
    }
    if (call === 'GET /api/v1/invitations') {
      return listed(
        hub,
        invitations.filter((one) => !takenBack.has(one.id)),
      )
    }
    if (call === 'POST /api/v1/invitations') {
      const link = 'https://lab.school.example/join#token=q8Zt5xW2mB7cVn4RkLd9'
      const { expiresInDays: _, ...given } = body as { expiresInDays: number }
      return json({ ...invitations[0], ...given, used: 0, link }, 201)
    }
    if (collection === 'invitations') {
      takenBack.add(id)
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/audit') {
      const wanted = Object.fromEntries(url.searchParams)
      const fitting = auditEntries.filter(
        (entry) =>
          (wanted.person ?? entry.person) === entry.person &&
          (wanted.subject ?? entry.subject) === entry.subject &&
          `${entry.action}.`.startsWith(wanted.action === undefined ? '' : `${wanted.action}.`) &&
          entry.at >= (wanted.from ?? '') &&
          entry.at < (wanted.to ?? '9'),
      )
      return paged(hub, fitting, url.searchParams)
    }
    return undefined
  }
}
