import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { askAs } from '../accounts/visitor.ts'
import { admin, type ServedHub, serveHub } from './served-hub.ts'

const test = suite('the audit log', { timeoutMs: 60_000 })
let hub: ServedHub
let cookie: string
let bearer: Record<string, string>
let adminId: string

test.before(async () => {
  hub = await serveHub()
  cookie = (await hub.signIn()).cookie
  ;({ bearer } = await hub.person('admin', ['admin']))
  adminId = ((await (await askAs(hub, cookie, 'GET', '/api/v1/me')).json()) as { id: string }).id
})
test.after(() => hub.close())

const ask = async (query: Record<string, string> = {}) => {
  const answer = await fetch(`${hub.url}/api/v1/audit?${new URLSearchParams(query)}`, { headers: bearer })
  assert.is(answer.status, 200)
  return (await answer.json()) as { items: AuditEntry[]; cursor?: string }
}
const actionsOf = ({ items }: { items: readonly AuditEntry[] }) => items.map(({ action }) => action)

test('what a person does with account, tokens and settings is in it, and no secret', async () => {
  const did = async (method: string, path: string, body?: object) => {
    const answer = await askAs(hub, cookie, method, path, body)
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
    return answer
  }
  await did('PUT', '/api/v1/me', { name: 'Ada' })
  const made = (await (await did('POST', '/api/v1/tokens', { name: 'notebook', scopes: ['read'] })).json()) as {
    id: string
    token: string
  }
  await did('DELETE', `/api/v1/tokens/${made.id}`)
  await did('PUT', '/api/v1/settings/retention', { dataDays: 30, runDays: null })
  await did('PUT', '/api/v1/settings/retention', { dataDays: 60, runDays: null })
  const invited = (await (await did('POST', '/api/v1/invitations', { role: 'student' })).json()) as { link: string }
  const newPassword = 'another-long-password'
  await did('POST', '/api/auth/change-password', { currentPassword: admin.password, newPassword })
  const mine = await ask({ person: admin.email.toUpperCase() })
  assert.equal(actionsOf(mine).slice(0, 7), [
    'password.changed',
    'invitation.created',
    'settings.retention',
    'settings.retention',
    'token.revoked',
    'token.created',
    'person.renamed',
  ])
  assert.equal(mine.items[2]?.detail, {
    from: { dataDays: 30, runDays: null },
    to: { dataDays: 60, runDays: null },
  })
  assert.is(mine.items[0]?.personName, 'Ada')
  const all = JSON.stringify(await hub.store.db.selectFrom('audit').selectAll().execute())
  const link = new URL(invited.link).hash.slice('#token='.length)
  for (const secret of [made.token, link, newPassword, admin.password]) assert.not.match(all, secret)
})

test('it is filtered by person, action, subject and time, page by page', async () => {
  const { person } = await hub.person('student', ['read'])
  const before = new Date().toISOString()
  for (const role of ['builder', 'guest']) {
    await hub.json('PUT', `/api/v1/users/${person.id}`, { role }, bearer)
  }
  const about = await ask({ subject: person.email })
  assert.equal(
    about.items.map(({ action, detail, subjectName }) => [action, detail, subjectName]),
    [
      ['person.role', { from: 'builder', to: 'guest' }, 'student'],
      ['person.role', { from: 'student', to: 'builder' }, 'student'],
    ],
  )
  assert.equal(new Set(actionsOf(await ask({ action: 'settings' }))), new Set(['settings.retention']))
  assert.equal(actionsOf(await ask({ action: 'setting' })), [])
  assert.is((await ask({ action: 'person.role', from: before })).items.length, 2)
  assert.is((await ask({ subject: person.id, to: before })).items.length, 0)
  const first = await ask({ person: adminId, limit: '2' })
  const next = await ask({ person: adminId, limit: '2', cursor: first.cursor ?? '' })
  const whole = await ask({ person: adminId, limit: '4' })
  assert.equal([...first.items, ...next.items], whole.items)
  for (const wrong of ['from=soon', 'limit=0', 'cursor=x']) {
    const answer = await fetch(`${hub.url}/api/v1/audit?${wrong}`, { headers: bearer })
    assert.is(answer.status, 400, wrong)
  }
})

test('as a file it has every entry that fits, and nothing that a spreadsheet would compute', async () => {
  const { person } = await hub.person('student', ['read'])
  const rows = Array.from({ length: 1100 }, (_, n) => ({
    at: n,
    person_id: person.id,
    action: 'test.entry',
    subject: `=1+${n}`,
    detail: '{"said":"\\"quoted\\", and so on"}',
  }))
  for (let at = 0; at < rows.length; at += 100) {
    await hub.store.write([hub.store.db.insertInto('audit').values(rows.slice(at, at + 100))])
  }
  const answer = await fetch(`${hub.url}/api/v1/audit.csv?action=test`, { headers: bearer })
  assert.match(answer.headers.get('content-type') ?? '', 'text/csv')
  const lines = (await answer.text()).split('\r\n')
  assert.is(lines.length, 1100 + 2)
  assert.match(lines[1] ?? '', /,"test.entry","'=1\+1099","","\{""said"":/)
  assert.match(lines[1100] ?? '', /"'=1\+0"/)
})

test.run()
