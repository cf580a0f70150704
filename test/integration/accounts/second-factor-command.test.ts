import * as assert from 'uvu/assert'
import { fernlab } from '../../support/command.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { newPerson } from '../hub/session-people.ts'
import { appWith } from './authenticator-app.ts'

const test = suite('a lost second factor on the command line', { timeoutMs: 60_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
})
test.after(() => lab.close())

const password = 'a-long-enough-password'
const reset = (email: string, ...more: string[]) =>
  fernlab(['user', 'reset', email, '--second-factor', ...more], {
    env: { ...process.env, FERNLAB_DATA: lab.folder },
  })

test('is taken away beside the running hub, and the password alone signs in', async () => {
  const ada = await newPerson(lab)
  const ask = (path: string, body?: object) =>
    fetch(`${lab.hub.httpUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...ada.browser, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const { email } = (await (await ask('/api/v1/me')).json()) as { email: string }
  const { secret } = (await (await ask('/api/v1/me/second-factor', { password })).json()) as { secret: string }
  const confirmed = await ask('/api/v1/me/second-factor/confirm', { code: appWith(secret)() })
  assert.is(confirmed.status, 200, await confirmed.text())
  const signIn = async () => {
    const response = await fetch(`${lab.hub.httpUrl}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: lab.hub.httpUrl },
      body: JSON.stringify({ email, password }),
    })
    const { secondFactor = false } = (await response.json()) as { secondFactor?: boolean }
    return { status: response.status, secondFactor }
  }
  assert.equal(await signIn(), { status: 200, secondFactor: true })

  const unknown = await reset('nobody@lab.example')
  assert.is(unknown.code, 1)
  assert.match(unknown.err, /nobody@lab\.example/)
  const done = await reset(email.toUpperCase(), '--json')
  assert.is(done.code, 0, done.err)
  assert.equal(JSON.parse(done.out), { email: email.toUpperCase(), secondFactor: false })
  await until(async () => !(await signIn()).secondFactor, 'the password alone signs in')
  const { items } = (await (await lab.call(`/api/v1/audit?subject=${ada.id}`)).json()) as {
    items: { action: string }[]
  }
  assert.ok(
    items.some(({ action }) => action.startsWith('second-factor')),
    JSON.stringify(items),
  )
  assert.match((await reset(email)).out, /has no second factor now/, 'once more is no mistake')
})

test.run()
