import * as assert from 'uvu/assert'
import { fernlab } from '../../support/command.ts'
import { fernlabOnTerminal } from '../../support/pty.ts'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('passkeys on the command line', { timeoutMs: 90_000 })
let hub: ServedHub
let env: Record<string, string | undefined>

test.before(async () => {
  hub = await serveHub()
  const { cookie } = await hub.signIn()
  const { personId = '' } = (await hub.accounts.authenticate(new Headers({ cookie }))) ?? {}
  const { token } = await hub.accounts.createToken({ personId }, { name: 'cli', scopes: ['admin'] })
  env = { ...process.env, FERNLAB_HUB: hub.url, FERNLAB_TOKEN: token }
  const key = { public_key: new Uint8Array([1]), counter: 0, transports: '[]', last_used_at: null }
  const rows = ['my phone', 'a key', 'a key'].map((name, at) => ({ id: `k${at}`, name, created_at: at }))
  await hub.store.write([
    hub.store.db.insertInto('passkey').values(rows.map((row) => ({ ...row, ...key, person_id: personId }))),
  ])
})
test.after(() => hub.close())

const listed = async () => {
  const { out, err } = await fernlab(['account', 'passkeys', '--json'], { env })
  assert.is(err, '')
  return (JSON.parse(out) as { id: string }[]).map(({ id }) => id)
}
const onTerminal = async (which: string, password?: string) => {
  const on = fernlabOnTerminal(['account', 'remove-passkey', which], env)
  if (password !== undefined) {
    await on.until(/Password: /)
    on.type(`${password}\r`)
  }
  return { code: await on.ended, shown: on.shown() }
}

test('they are listed, and removed by name or id with the password alone', async () => {
  assert.equal(await listed(), ['k0', 'k1', 'k2'])
  const unattended = await fernlab(['account', 'remove-passkey', 'my phone'], { env })
  assert.match(unattended.err, /asks for your password, which needs a terminal/)
  assert.match((await onTerminal('none')).shown, /you have no passkey "none"/)
  assert.match((await onTerminal('a key')).shown, /2 passkeys are called "a key"/)
  assert.is((await onTerminal('my phone', 'not-the-password')).code, 1)
  const removed = await onTerminal('my phone', admin.password)
  assert.match(removed.shown, /my phone is removed/)
  assert.not.match(removed.shown, /a-long-password/)
  assert.is((await onTerminal('k2', admin.password)).code, 0)
  assert.equal(await listed(), ['k1'])
})

test.run()
