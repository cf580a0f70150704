import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { fernlab } from '../../support/command.ts'
import { type CommandLineOptions, commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { appWith } from './authenticator-app.ts'
import { type MailServer, startMailServer } from './mail-server.ts'
import { askAs, secretIn } from './visitor.ts'

const test = suite('one’s own account on the command line', { timeoutMs: 60_000 })
let mail: MailServer
let hub: ServedHub
let boss = ''
let scratch = ''
let people = 0
const password = 'a-long-password'

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ smtpUrl: mail.url })
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-account-'))
  boss = (await hub.signIn()).cookie
})
test.after(async () => {
  await hub.close()
  await mail.close()
  rmSync(scratch, { recursive: true, force: true })
})

/** Somebody with an account, at a machine of their own. */
async function person(role = 'student') {
  const made = await askAs(hub, boss, 'POST', '/api/v1/invitations', { role })
  const token = secretIn(((await made.json()) as { link: string }).link)
  const email = `person-${++people}@school.example`
  assert.is((await hub.json('POST', '/api/v1/join', { token, name: 'Eli', email, password })).status, 201)
  const env = { HOME: join(scratch, email), FERNLAB_HUB: hub.url }
  const run = (args: string, options: Omit<CommandLineOptions, 'env'> = {}) =>
    commandLine(args.split(' '), { env, ...options })
  const ok = async (args: string, options: Omit<CommandLineOptions, 'env'> = {}) => {
    const ended = await run(args, options)
    assert.is(ended.code, 0, `${args}\n${ended.out}${ended.err}`)
    return ended
  }
  return { email, env, run, ok }
}

/** Somebody with a token and no password, which takes long to check. */
async function bearer() {
  const { person: who, token } = await hub.person('student', ['read', 'run', 'account'])
  const env = { HOME: scratch, FERNLAB_HUB: hub.url, FERNLAB_TOKEN: token.token }
  const run = (args: string) => commandLine(args.split(' '), { env })
  const ok = async (args: string) => {
    const ended = await run(args)
    assert.is(ended.code, 0, `${args}\n${ended.out}${ended.err}`)
    return ended
  }
  return { email: who.email, run, ok }
}

const signIns = async () => (await hub.store.db.selectFrom('session').select('id').execute()).length

for (const role of ['student', 'instructor']) {
  test(`a ${role} logs in with the password, and may change the account`, async () => {
    const { email, ok, run } = await person(role)
    const wrong = await run(`login --email ${email}`, { lines: ['not-the-password'] })
    assert.match(wrong.err, 'mail address and password do not match')
    assert.match((await ok(`login --email ${email}`, { lines: [password] })).out, new RegExp(`^Eli at .*, ${role}\n`))
    assert.match((await ok('account sign-ins')).out, 'unknown', 'the page’s own; that of the command line has ended')
    assert.is(JSON.parse((await ok('account sign-ins --json')).out).length, 1)
    assert.is((await ok('account rename Elisa')).out, 'you are Elisa now\n')
    const shown = (await ok('account show')).out
    assert.match(shown, new RegExp(`^name: Elisa\nmail address: ${email}\nrole: ${role}\nsecond factor: off\n`))
    const { scopes } = JSON.parse((await ok('token list --json')).out)[0]
    assert.equal(scopes, ['read', 'run', 'account', ...(role === 'student' ? [] : ['builder', 'admin'])])
  })
}

test('a guest is told why there is no token for them, and nobody at all what is asked for', async () => {
  const { email, run } = await person('guest')
  const before = await signIns()
  assert.match((await run(`login --email ${email}`, { lines: [password] })).err, 'a guest has no tokens')
  assert.is(await signIns(), before, 'the sign-in is ended all the same')
  const nobody = await run(`login --email ${email}`)
  assert.match(
    nobody.err,
    /login asks for your password, which needs a terminal, or a line on standard input\n +Or give/,
  )
  const echoed = await run(`login --email ${email}`, { lines: [password], keyboard: true })
  assert.match(echoed.err, /login asks for your password on standard error, .*\n +Leave standard error on the terminal/)
})

test('standard input of the real command carries the secrets, one a line', async () => {
  const { email, env } = await person()
  const all = { ...process.env, ...env, FERNLAB_TOKEN: undefined, XDG_CONFIG_HOME: undefined }
  const { code, out, err } = await fernlab(['login'], { env: all, input: `${email}\r\n${password}\n` })
  assert.is(code, 0, err)
  assert.match(out, /^Eli at /)
  assert.not.match(out + err, password)
})

test('a token made after a login lasts as long as that of the login, and longer for the password', async () => {
  const { email, ok, run } = await person()
  await ok(`login --email ${email}`, { lines: [password] })
  const [own] = JSON.parse((await ok('token list --json')).out) as [{ expiresAt: string }]
  const made = JSON.parse((await ok('token create program --scope run --json')).out) as { expiresAt?: string }
  assert.is(made.expiresAt, own.expiresAt)
  assert.match((await ok('token create program --scope run')).err, /It works until 20\d\d-/)
  const nobody = await run('token create program --scope run --days 365')
  assert.match(nobody.err, /token create asks for your password, .*\n +Without --days/)
  const before = await signIns()
  const longer = await ok('token create program --scope run --days 365 --json', { lines: [password] })
  const days = (Date.parse((JSON.parse(longer.out) as { expiresAt: string }).expiresAt) - Date.now()) / 86_400_000
  assert.ok(days > 364.9 && days < 365.1, `${days}`)
  const endless = await ok('token create program --scope run --expires never --json', { lines: [password] })
  assert.is((JSON.parse(endless.out) as { expiresAt?: string }).expiresAt, undefined)
  assert.is(await signIns(), before, 'the sign-ins for it have ended')
})

test('another password ends the sign-ins in browsers, and is asked for twice', async () => {
  const { email, ok, run } = await person()
  await ok(`login --email ${email}`, { lines: [password] })
  const differ = await run('account password', { typed: [password, 'another-password', 'another-passwort'] })
  assert.match(differ.err, 'the two passwords differ; nothing was changed')
  assert.match((await run('account password', { lines: [password, 'short'] })).err, 'ten characters or more')
  assert.match((await run('account password', { lines: ['wrong-password', 'another-password'] })).err, 'do not match')
  const before = await signIns()
  const tooLong = 'x'.repeat(2000)
  assert.is((await run('account password', { lines: [password, tooLong] })).code, 1)
  assert.is(await signIns(), before, 'the sign-in is ended all the same')
  const changed = await ok('account password', { typed: [password, 'another-password', 'another-password'] })
  assert.match(changed.out, /^the password is changed/)
  assert.equal(changed.err.match(/.*\(hidden\)/g), [
    'Password: (hidden)',
    'New password, ten characters or more: (hidden)',
    'The same again: (hidden)',
  ])
  assert.match((await ok('account sign-ins')).out, 'signed in nowhere')
  assert.is((await hub.signIn({ email, password })).response.status, 401)
  assert.is((await hub.signIn({ email, password: 'another-password' })).response.status, 200)
})

test('a second factor is set up, asked for at a login, and turned off', async () => {
  const { email, ok, run } = await person()
  await ok(`login --email ${email}`, { lines: [password] })
  assert.is((await ok('account second-factor show')).out, 'off\n')
  assert.match((await run('account second-factor on', { lines: ['wrong-password'] })).err, /password is wrong/)
  let code = () => ''
  const secretOf = (shown: string) => {
    code = appWith((/^ {2}([A-Z2-7 ]+)$/m.exec(shown)?.[1] ?? '').replaceAll(' ', ''))
    return code()
  }
  const on = await ok('account second-factor on', { typed: [password, '000000', secretOf] })
  assert.match(on.err, /the code is wrong[\s\S]*The second factor is on\.\nEach of these signs you in once/)
  const codes = on.out.trim().split('\n')
  assert.is(codes.length, 8)
  assert.match((await ok('account show')).out, 'second factor: on, 8 recovery codes left')
  assert.match((await run(`login --email ${email}`, { lines: [password, '000000'] })).err, 'the code is wrong')
  await ok(`login --email ${email}`, { lines: [password, code()] })
  await ok(`login --email ${email} --code ${codes[0]}`, { lines: [password] })
  assert.match((await ok('account second-factor show')).out, 'on, 7 recovery codes left')
  const fresh = await ok('account second-factor recovery-codes', { lines: [password] })
  assert.is(fresh.out.trim().split('\n').length, 8, 'the codes alone, for a file')
  assert.match((await run(`login --email ${email} --code ${codes[1]}`, { lines: [password] })).err, 'the code is wrong')
  assert.is((await ok('account second-factor off', { lines: [password] })).out, 'the second factor is off\n')
  const asJson = await ok('account second-factor on --json', {
    lines: [password, (shown) => appWith((JSON.parse(shown) as { secret: string }).secret)()],
  })
  const [begun = '', done = ''] = asJson.out.trim().split('\n')
  assert.match(JSON.parse(begun).uri, /^otpauth:\/\/totp\//)
  assert.is(JSON.parse(done).recoveryCodes.length, 8)
})

test('staff set a second factor up at the login where the site wants one', async () => {
  const { person_id: by } = await hub.store.db
    .selectFrom('person')
    .select('id as person_id')
    .where('role', '=', 'admin')
    .executeTakeFirstOrThrow()
  const key = { public_key: new Uint8Array([1]), counter: 0, transports: '[]', last_used_at: null, created_at: 1 }
  await hub.store.write([hub.store.db.insertInto('passkey').values({ id: 'k', name: 'a key', person_id: by, ...key })])
  const want = (staffSecondFactor: boolean) =>
    hub.accounts.rules.change({ registration: { open: false, domains: [], role: 'student' }, staffSecondFactor }, by)
  const { email, ok, run } = await person('instructor')
  const app = (shown: string) => appWith((/^ {2}([A-Z2-7 ]+)$/m.exec(shown)?.[1] ?? '').replaceAll(' ', ''))()
  await want(true)
  const before = await signIns()
  const missed = await run(`login --email ${email}`, { lines: [password, '000000'] })
  assert.equal([missed.code, await signIns()], [1, before], 'the sign-in is ended all the same')
  const entered = await ok(`login --email ${email}`, { typed: [password, app] })
  assert.match(entered.err, 'This site wants a second factor, a code of an app, of every instructor')
  assert.match((await ok('account show')).out, 'second factor: on, 8 recovery codes left')
  const invited = await askAs(hub, boss, 'POST', '/api/v1/invitations', { role: 'instructor', most: 2 })
  const { link } = (await invited.json()) as { link: string }
  const env = { HOME: join(scratch, 'invited'), FERNLAB_HUB: hub.url }
  const json = (shown: string) => appWith(JSON.parse(/^\{"secret.*$/m.exec(shown)?.[0] ?? '{}').secret)()
  const args = ['account', 'link', '--name', 'Kim', '--email', 'kim@school.example', '--json']
  const joined = await commandLine(args, { env, lines: [link, password, json] })
  assert.is(joined.code, 0, joined.err)
  const [begun = '', codes = '', ...me] = joined.out.split('\n')
  assert.match(begun, /^\{"secret":/)
  assert.is(JSON.parse(codes).recoveryCodes.length, 8)
  assert.is(JSON.parse(me.join('\n')).role, 'instructor')
  const late = ['account', 'link', '--name', 'Lou', '--email', 'lou@school.example']
  const elsewhere = { ...env, HOME: join(scratch, 'late') }
  const halfway = await commandLine(late, { env: elsewhere, lines: [link, password, '000000'] })
  assert.is(halfway.code, 1, halfway.err)
  assert.match(halfway.err, /Your account is there all the same: "fernlab login --hub \S+" goes on with it\./)
  await want(false)
})

test('another address holds when its letter was answered', async () => {
  const { email, ok, run } = await person()
  await ok(`login --email ${email}`, { lines: [password] })
  const next = `new-${email}`
  assert.match((await run(`account address ${next}`, { lines: ['wrong-password'] })).err, /password is wrong/)
  assert.match((await ok(`account address ${next}`, { lines: [password] })).out, `a letter is on its way to ${next}`)
  assert.match(await mail.letterTo(next), /confirm-address#token/)
  assert.match((await ok('account show')).out, `mail address: ${email}`)
})

test('letters are switched, their language and time zone chosen', async () => {
  const { ok, run } = await bearer()
  assert.match((await ok('account letters')).out, /bookings +on +(they come|none come)/)
  assert.match((await ok('account letters bookings off')).out, /^ABOUT +LETTERS +NOW\nbookings +off\s*$/)
  assert.not.match((await ok('account letters')).out, 'benches')
  const staff = (await hub.person('instructor', ['read', 'builder', 'account'])).token.token
  const told = await commandLine(['account', 'letters'], { env: { FERNLAB_HUB: hub.url, FERNLAB_TOKEN: staff } })
  assert.match(told.out, /\nbenches +(on|off)/)
  assert.match((await run('account letters dreams off')).err, /Allowed choices are bookings, benches/)
  const said = await ok('account language es --time-zone Europe/Madrid')
  assert.is(said.out, 'language: es\ntime zone: Europe/Madrid\n')
  assert.match((await ok('account show')).out, /language: es\ntime zone: Europe\/Madrid\n/)
})

test('all that is known of one is kept in a file that nobody else reads', async () => {
  const { email, ok, run } = await bearer()
  const file = join(scratch, 'mine.json')
  assert.match((await ok(`account export ${file}`)).out, /mine\.json holds it, \d+ kB\n/)
  assert.is(JSON.parse(readFileSync(file, 'utf8')).person.email, email)
  assert.is(statSync(file).mode & 0o077, 0)
  assert.not(existsSync(`${file}.part`))
  assert.match((await run(`account export ${file}`)).err, /is there already\n +Name another file, or .*--force/)
  writeFileSync(file, 'old')
  await ok(`account export ${file} --force`)
  assert.is(JSON.parse((await ok('account export -')).out).person.email, email)
  assert.match((await run(`account export ${scratch}/none/x.json`)).err, /can't be written \(ENOENT\)/)
})

test('an account is closed by its address and password, or by --yes in a script', async () => {
  const { email, env, ok, run } = await person()
  await ok(`login --email ${email}`, { lines: [password] })
  const kept = await run('account close', { typed: ['somebody@else.example'] })
  assert.match(kept.err, /This can not be undone\..*nothing was done/s)
  assert.match((await run('account close', { typed: [email, 'wrong-password'] })).err, /password is wrong/)
  assert.is((await ok('account close', { typed: [email, password] })).out, 'your account is closed\n')
  assert.match((await run('whoami')).err, 'does not know who you are')
  assert.not.match(readFileSync(join(env.HOME, '.config/fernlab/client.json'), 'utf8'), 'tokens": {\n')
  const other = await person()
  await other.ok(`login --email ${other.email}`, { lines: [password] })
  assert.equal(JSON.parse((await other.ok('account close --yes --json', { lines: [password] })).out), {
    closed: other.email,
  })
  assert.is((await hub.signIn({ email: other.email, password })).response.status, 401)
})

test.run()
