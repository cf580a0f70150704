/** The account of the person who is signed in to the stand-in for the hub. */
import type { AccountExport } from '@fernlab/shared/contracts/account-export'
import type { Me } from '@fernlab/shared/contracts/api'
import type { BookingLetters } from '@fernlab/shared/contracts/booking-notices'
import { type Area, json, listed, problem } from './fake-answers.ts'
import { ownGroups, passkeys, signIns, tokens } from './fake-staff.ts'
import { type FakeState, ownUser } from './fake-state.ts'

/** The objects of `/api/v1/me`, and the person's tokens. */
export function fakeAccount(hub: FakeState): Area {
  let openSignIns = signIns
  const left = new Set<string>()
  let tokensRevoked = false

  return ({ call, method, path, body }) => {
    if (call === 'POST /api/v1/join/accept') return json({ group: 'optics' })
    if (call === 'GET /api/v1/me') {
      const mustSetUp = hub.mustSetUp ? { mustSetUp: 'second-factor' } : {}
      const { language, timeZone } = hub.bookingLetters
      const place = { ...(language ? { language } : {}), ...(timeZone ? { timeZone } : {}) }
      return json({ id: 'p1', name: hub.ownName, email: 'ana@school.example', role: hub.role, ...place, ...mustSetUp })
    }
    if (path.startsWith('/api/v1/me/groups')) {
      if (method === 'GET') return json({ items: ownGroups.filter(({ id }) => !left.has(id)) })
      left.add(path.split('/').at(-1) ?? '')
      return json(undefined, 204)
    }
    if (path.startsWith('/api/v1/me/sign-ins')) {
      if (method === 'GET') return json({ items: openSignIns })
      const ended = path.split('/').at(-1)
      openSignIns = openSignIns.filter(({ id, here }) => here || (ended !== 'end-others' && id !== ended))
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/me/passkeys') return json({ items: passkeys })
    if (call === 'GET /api/v1/me/second-factor') return json({ ...hub.factor, required: hub.mustSetUp })
    if (path.startsWith('/api/v1/me/second-factor')) {
      const { password, code } = body as { password?: string; code?: string }
      const recoveryCodes = ['7K3QM-X2V9R-0HJ4T', 'WBN8C-3M5PD-Y1S6G', 'F4K9Z-T7QX2-HN0V8']
      if (code !== undefined) {
        if (code !== '123456') return problem(401, 'code-wrong', { hint: 'This code is wrong.' })
        hub.factor = { on: true, recoveryCodes: 8 }
        hub.mustSetUp = false
        return json({ recoveryCodes })
      }
      if (password !== 'correct horse') return problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
      if (path.endsWith('/recovery-codes')) return json({ recoveryCodes })
      if (path.endsWith('/remove')) {
        hub.factor = { on: false, recoveryCodes: 0 }
        return json(undefined, 204)
      }
      const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
      return json({ secret, uri: `otpauth://totp/demo:ana%40school.example?secret=${secret}&issuer=demo` }, 201)
    }
    if (call === 'PUT /api/v1/me') {
      hub.ownName = (body as { name: string }).name.trim()
      return json({ id: 'p1', name: hub.ownName, email: 'ana@school.example', role: hub.role })
    }
    if (call === 'POST /api/auth/change-password') {
      const { currentPassword } = body as { currentPassword: string }
      return currentPassword === 'correct horse'
        ? json({ token: 's2', user: ownUser(hub) })
        : problem(401, 'wrong-credentials', { hint: 'The address or the password is wrong.' })
    }
    if (call === 'POST /api/v1/me/address') {
      return (body as { password: string }).password === 'correct horse'
        ? json({ message: 'A letter with a link is on its way.' }, 202)
        : problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
    }
    if (call === 'POST /api/v1/me/sign-out-everywhere') {
      hub.isSignedIn = false
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/me/close') {
      if ((body as { password: string }).password !== 'correct horse') {
        return problem(401, 'wrong-credentials', { hint: 'The password is wrong.' })
      }
      hub.isSignedIn = false
      return json(undefined, 204)
    }
    if (call === 'GET /api/v1/me/export') return json(exportOf({ id: 'p1', name: hub.ownName, role: hub.role }))
    if (call === 'GET /api/v1/me/booking-letters') return json(hub.bookingLetters)
    if (call === 'PUT /api/v1/me/booking-letters') {
      hub.bookingLetters = { ...hub.bookingLetters, ...(body as Partial<BookingLetters>) }
      return json(hub.bookingLetters)
    }
    if (call === 'GET /api/v1/me/bench-letters') return json({ wanted: hub.benchLetters, possible: true })
    if (call === 'PUT /api/v1/me/bench-letters') {
      hub.benchLetters = (body as { wanted: boolean }).wanted
      return json({ wanted: hub.benchLetters, possible: true })
    }
    if (call === 'GET /api/v1/tokens') {
      const revokedAt = new Date().toISOString()
      return listed(hub, tokensRevoked ? tokens.map((token) => ({ ...token, revokedAt })) : tokens)
    }
    if (call === 'POST /api/v1/tokens/revoke-all') {
      tokensRevoked = true
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/tokens') {
      const { name, scopes } = body as { name: string; scopes: string[] }
      return json({ ...tokens[0], name, scopes, token: 'fl_3Jx8mQ2vZt7KpWc5Rb9LnYd4' }, 201)
    }
    return undefined
  }
}

const exportOf = (person: Pick<Me, 'id' | 'name' | 'role'>): AccountExport => ({
  exportedAt: new Date().toISOString(),
  person: { ...person, email: 'ana@school.example' },
  ...{ tokens: [], passkeys: [], sessions: [], origins: [], downloads: [], groups: [], invitations: [] },
  ...{ bookings: [], series: [], recurring: [], permissions: [], partnerIn: [], chat: [], notices: [], letters: [] },
  ...{ audit: [], directUses: [], runs: [] },
})
