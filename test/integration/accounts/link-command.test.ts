import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Answer, commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { type MailServer, startMailServer } from './mail-server.ts'

const test = suite('ways in, and staff’s way to help, on the command line', { timeoutMs: 60_000 })
let mail: MailServer
let hub: ServedHub
let scratch = ''
let boss: Record<string, string>
const password = 'a-long-password'

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ smtpUrl: mail.url })
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-link-'))
  const { token } = (await hub.person('admin', ['admin'])).token
  boss = { HOME: scratch, FERNLAB_HUB: hub.url, FERNLAB_TOKEN: token }
})
test.after(async () => {
  await hub.close()
  await mail.close()
  rmSync(scratch, { recursive: true, force: true })
})

const run = (env: Record<string, string>, args: string, lines: readonly Answer[] = []) =>
  commandLine(args.split(' '), { env, lines })
async function ok(env: Record<string, string>, args: string, lines: readonly Answer[] = []) {
  const ended = await run(env, args, lines)
  assert.is(ended.code, 0, `${args}\n${ended.out}${ended.err}`)
  return ended
}
const at = (name: string) => ({ HOME: join(scratch, name), FERNLAB_HUB: hub.url })
const linkTo = async (email: string) => /(http\S+#token=[\w-]{43})/.exec(await mail.letterTo(email))?.[1] ?? ''

test('an invitation makes an account and logs in; who has one joins its group', async () => {
  await ok(boss, 'group create optics Optics')
  const link = (await ok(boss, 'user invite --most 3 --group optics')).out.trim()
  const ada = at('ada')
  const joined = await ok(ada, 'account link --name Ada', [link, 'ada@school.example', password])
  assert.match(joined.err, /invites you as student to Optics\./)
  assert.match(joined.out, /^Ada at http.*, student\n/)
  assert.match((await ok(ada, 'account groups')).out, /optics +Optics/)
  const cleo = (await hub.person('student', ['read', 'account'])).token.token
  assert.is((await ok({ ...at('cleo'), FERNLAB_TOKEN: cleo }, 'account link', [link])).out, 'you are in optics now\n')
  assert.match((await ok(boss, 'group show optics')).out, /^optics: Optics, a group\npeople: 2\ninstructors: none\n/)
  const closed = (await ok(boss, 'user invite --group optics --no-register')).out.trim()
  assert.match((await run(at('dee'), 'account link', [closed])).err, 'Log in with "fernlab login" first')
  assert.match((await run(ada, 'account link', ['http://127.0.0.1:1/labs'])).err, 'that is no link of a hub')
})

test('a guest is told that the account is there, and where they sign in', async () => {
  const link = (await ok(boss, 'user invite --role guest')).out.trim()
  const signIns = async () => (await hub.store.db.selectFrom('session').select('id').execute()).length
  const before = await signIns()
  const joined = await ok(at('gil'), 'account link --name Gil --email gil@school.example', [link, password])
  assert.match(joined.out, /^Gil at http.*, guest\n$/)
  assert.match(joined.err, /Your account is there\. .* sign in on the page, http\S+\/sign-in\n/)
  assert.is(await signIns(), before, 'no sign-in is left open')
})

test('a link of another hub is not told one’s token', async () => {
  const link = (await ok(boss, 'user invite')).out.trim()
  const elsewhere = { HOME: join(scratch, 'eve'), FERNLAB_HUB: 'http://127.0.0.1:1', FERNLAB_TOKEN: 'of another hub' }
  // With the token it would be refused; without one it asks who comes.
  assert.match((await run(elsewhere, 'account link', [link])).err, 'link asks for your name')
})

test('one registers, by the link of the letter', async () => {
  const fay = at('fay')
  assert.match((await run(fay, 'account register --name Fay')).err, /lets nobody make an account\n +Ask its staff/)
  await ok(boss, 'settings sign-in --registration open --domains school.example')
  const asked = await ok(fay, 'account register --name Fay --email fay@school.example')
  assert.match(asked.err, 'Your address has to be at school.example.')
  assert.is(asked.out, 'a letter is on its way to fay@school.example\n')
  const entered = await ok(fay, 'account link', [await linkTo('fay@school.example'), password])
  assert.match(entered.err, 'An account for Fay <fay@school.example>.')
  assert.match(entered.out, /^Fay at /)
  await ok(fay, 'account address fay2@school.example', [password])
  const confirmed = await ok(fay, 'account link', [await linkTo('fay2@school.example')])
  assert.is(confirmed.out, 'fay2@school.example is your address now\n')
  const forgot = await ok(at('new'), 'account forgot-password fay2@school.example')
  assert.match(forgot.out, 'a letter with a link is on its way')
  const reset = (await linkTo('fay2@school.example')) || ''
  assert.match((await ok(at('new'), 'account link', [reset, 'another-password'])).out, 'the password is changed')
  assert.is((await hub.signIn({ email: 'fay2@school.example', password: 'another-password' })).response.status, 200)
})

test('staff end the second factor of somebody who has lost it', async () => {
  const { person } = await hub.person('student', ['read'])
  await hub.store.write([
    hub.store.db.insertInto('passkey').values({
      id: 'lost',
      name: 'a lost phone',
      person_id: person.id,
      public_key: new Uint8Array([1]),
      counter: 0,
      transports: '[]',
      created_at: 0,
      last_used_at: null,
    }),
  ])
  assert.is((await ok(boss, `user take-second-factor ${person.email}`)).out, 'student has no second factor now\n')
  const left = await hub.store.db.selectFrom('passkey').select('id').where('person_id', '=', person.id).execute()
  assert.equal(left, [])
  assert.match((await run(boss, 'user take-second-factor nobody@x.example')).err, 'nobody here has the mail address')
})

test('a list of people comes on standard input, and is looked through line by line', async () => {
  const list = ['\ufeffname,email', 'Gus,gus@school.example', 'Hal,nonsense', 'Ida,ida@school.example,extra']
  const refused = await run(boss, 'user import - --preview', list)
  assert.is(refused.code, 1)
  assert.match(refused.err, /line 3: "nonsense" is not a mail address/)
  assert.match(
    (await ok(boss, 'user import - --preview', list.slice(0, 2))).out,
    /\n +2 +Gus +gus@school.example .* new\n/,
  )
})

test('many permissions are changed or taken away at once, after a look', async () => {
  const given = await Promise.all(
    ['role:student', 'role:builder'].map((who) => ok(boss, `permission give ${who} mostOpen=2`)),
  )
  const ids = given.map(({ out }) => out.split(':')[0] ?? '')
  const bulk = (rest: string) => ok(boss, `permission bulk ${ids.join(' ')} ${rest}`)
  const preview = await bulk('--term mostOpen=5 --until 2099-01-01 --preview')
  assert.is(preview.out.match(/mostOpen=2 .*mostOpen=5 .*until 2099-01-01 /g)?.length, 2)
  assert.match(
    (await ok(boss, `permission show ${ids[0]}`)).out,
    /^\S+, for role:student in every lab\n[\s\S]*mostOpen: 2\n/,
  )
  await bulk('--term mostOpen=5')
  assert.match((await ok(boss, `permission show ${ids[1]}`)).out, 'mostOpen: 5\n')
  assert.match((await run(boss, `permission bulk ${ids.join(' ')}`)).err, 'say what to change')
  assert.is((await bulk('--remove')).out.match(/taken away/g)?.length, 2)
  assert.is((await run(boss, `permission show ${ids[0]}`)).code, 1)
})

test.run()
