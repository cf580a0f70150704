import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { fernlabOnTerminal } from '../../support/pty.ts'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { appWith } from './authenticator-app.ts'
import { askAs } from './visitor.ts'

const test = suite('signing in on the command line', { timeoutMs: 90_000 })
let hub: ServedHub
let scratch = ''
let env: Record<string, string | undefined>
let code: () => string
let cookie: string
let recoveryCodes: string[]

test.before(async () => {
  hub = await serveHub()
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-login-'))
  env = { ...process.env, HOME: scratch, XDG_CONFIG_HOME: scratch, FERNLAB_HUB: hub.url }
  delete env.FERNLAB_TOKEN
  ;({ cookie } = await hub.signIn())
  const ask = (path: string, body: object) => askAs(hub, cookie, 'POST', `/api/v1/me/second-factor${path}`, body)
  const { secret } = (await (await ask('', { password: admin.password })).json()) as { secret: string }
  code = appWith(secret)
  ;({ recoveryCodes } = (await (await ask('/confirm', { code: code() })).json()) as { recoveryCodes: string[] })
})
test.after(async () => {
  await hub.close()
  rmSync(scratch, { recursive: true })
})

/** Signs in with the password; `typed` is what is asked for after it. */
async function login(args: readonly string[], typed?: string): Promise<{ code: number | null; shown: string }> {
  const on = fernlabOnTerminal(['login', '--email', admin.email, ...args], env)
  await on.until(/Password: /)
  on.type(`${admin.password}\r`)
  if (typed !== undefined) {
    await on.until(/Code of your app, or a recovery code: /)
    on.type(`${typed}\r`)
  }
  return { code: await on.ended, shown: on.shown() }
}
const tokens = async () => (await hub.store.db.selectFrom('token').select('id').execute()).length

test('the code of an app is asked for after the password, or given; a recovery code does as well', async () => {
  const wrong = await login([], '000 000')
  assert.is(wrong.code, 1)
  assert.match(wrong.shown, /code/)
  assert.is(await tokens(), 0)
  const asked = await login([], code())
  assert.is(asked.code, 0, asked.shown)
  assert.match(asked.shown, /, admin/)
  const given = await login(['--code', code()])
  assert.is(given.code, 0, given.shown)
  assert.not.match(given.shown, /recovery code/)
  const recovered = await login(['--code', recoveryCodes[0] ?? ''])
  assert.is(recovered.code, 0, recovered.shown)
  assert.is(await tokens(), 3)
})

test('who has passkeys alone is told how a command line gets in', async () => {
  const { id } = await hub.store.db.selectFrom('user').select('id').executeTakeFirstOrThrow()
  const rules = { registration: { open: false, domains: [], role: 'student' }, staffSecondFactor: true }
  assert.is((await askAs(hub, cookie, 'PUT', '/api/v1/settings/sign-in', rules)).status, 200)
  const key = { public_key: new Uint8Array([1]), counter: 0, transports: '[]', last_used_at: null, created_at: 1 }
  await hub.store.write([
    hub.store.db.deleteFrom('second_factor').where('person_id', '=', id),
    hub.store.db.insertInto('passkey').values({ id: 'k', name: 'my phone', person_id: id, ...key }),
  ])
  const { shown, code: ended } = await login([])
  assert.is(ended, 1)
  assert.match(shown, /signs in with a passkey/)
  assert.match(shown, /--token/)
})

test.run()
