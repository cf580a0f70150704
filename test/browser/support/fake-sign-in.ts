/** What the stand-in for the hub answers to who is not signed in yet. */
import { type Area, json, problem } from './fake-answers.ts'
import { type FakeState, ownUser } from './fake-state.ts'

/** The way in: signing in, setting up, joining, registering. */
export function fakeSignIn(hub: FakeState): Area {
  return ({ call, host, body }) => {
    if (call === 'GET /api/v1/site') {
      return json({
        site: 'demo',
        title: 'Demo hub',
        version: hub.version,
        timeZone: hub.timeZone,
        setupNeeded: false,
        mail: true,
        registration: hub.signInRules.registration.open
          ? { open: true, domains: hub.signInRules.registration.domains }
          : { open: false, domains: [] },
        passkeysAt: `http://${host}`,
      })
    }
    if (call === 'POST /api/auth/sign-in/email') {
      if ((body as { password?: string }).password !== 'correct horse') return problem(401, 'sign-in-refused')
      if (hub.factor.on) return json({ secondFactor: true, by: ['code'] })
      hub.isSignedIn = true
      return json({ redirect: false, token: 's1', user: ownUser(hub) })
    }
    if (call === 'POST /api/v1/sign-in/second-factor') {
      if ((body as { code: string }).code !== '123456')
        return problem(401, 'code-wrong', { hint: 'This code is wrong.' })
      hub.isSignedIn = true
      return json({ id: 'p1', name: hub.ownName, email: 'ana@school.example', role: hub.role })
    }
    if (call === 'POST /api/v1/setup/check') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json(undefined, 204)
        : problem(410, 'link-used-or-expired', {
            hint: 'This set-up link no longer works. Start the hub again for a new one.',
          })
    }
    if (call === 'POST /api/v1/setup') {
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Ana', email: 'ana@school.example', role: 'admin' }, 201)
    }
    if (call === 'POST /api/auth/sign-out') {
      hub.isSignedIn = false
      return json({ success: true })
    }
    if (call === 'POST /api/v1/join/check') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json({
            role: 'student',
            by: 'Bo Lindqvist',
            register: true,
            ...(hub.intoGroup ? { group: { id: 'optics', name: 'Optics, spring' } } : {}),
          })
        : problem(410, 'invitation-over', { hint: 'This invitation no longer works.' })
    }
    if (call === 'POST /api/v1/join') {
      if ((body as { email?: string }).email === 'ana@school.example') {
        return problem(409, 'address-taken', { hint: 'There is an account with this mail address.' })
      }
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Ana', email: 'new@school.example', role: 'student' }, 201)
    }
    if (call === 'POST /api/v1/password/forgot') return json({ message: 'A letter with a link is on its way.' }, 202)
    if (call === 'POST /api/v1/password/reset') return json(undefined, 204)
    if (call === 'POST /api/v1/register') return json({ message: 'A letter with a link is on its way.' }, 202)
    if (call === 'POST /api/v1/register/check' || call === 'POST /api/v1/address/confirm') {
      const good = (body as { token?: string }).token === 'once'
      return good
        ? json({ ...(call === 'POST /api/v1/address/confirm' ? {} : { name: 'Nils' }), email: 'nils@school.example' })
        : problem(410, 'link-used-or-expired', {
            hint: 'This link was used, replaced by a later one, or is older than a day.',
          })
    }
    if (call === 'POST /api/v1/register/confirm') {
      hub.isSignedIn = true
      return json({ id: 'p1', name: 'Nils', email: 'nils@school.example', role: 'student' }, 201)
    }
    return undefined
  }
}
