import type { ImportedPeople, Me } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { startMailServer } from './mail-server.ts'
import { cookieOf, secretIn } from './visitor.ts'

const test = suite('people: a list is imported', { timeoutMs: 60_000 })
const closers: (() => Promise<void>)[] = []
test.after.each(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(smtpUrl?: string): Promise<{ hub: ServedHub; cookie: string }> {
  const hub = await serveHub({ trustedProxies: ['loopback'], ...(smtpUrl === undefined ? {} : { smtpUrl }) })
  closers.push(() => hub.close())
  return { hub, cookie: cookieOf(await hub.json('POST', '/api/auth/sign-in/email', admin)) }
}
const send = async (hub: ServedHub, cookie: string, body: object) => {
  const answer = await hub.json('POST', '/api/v1/users/import', body, { cookie, origin: hub.url })
  return {
    status: answer.status,
    body: (await answer.json()) as ImportedPeople & { code: string; issues: { path: string }[] },
  }
}
const count = async (hub: ServedHub) => (await hub.store.db.selectFrom('user').select('id').execute()).length

test('a preview makes nobody; the import makes each once, however often it is sent', async () => {
  const { hub, cookie } = await open()
  const csv = `name,email,role\nAda,ada@x.example,\nBo,bo@x.example,instructor\nThe boss,${admin.email},\n`
  const looked = await send(hub, cookie, { csv, preview: true })
  assert.equal(
    looked.body.people.map(({ line, role, known, link }) => [line, role, known, link]),
    [
      [2, 'student', false, undefined],
      [3, 'instructor', false, undefined],
      [4, 'student', true, undefined],
    ],
  )
  assert.is(await count(hub), 1)
  const made = await send(hub, cookie, { csv })
  assert.is(made.status, 200)
  assert.is(await count(hub), 3)
  const again = await send(hub, cookie, { csv })
  assert.ok(again.body.people.every(({ known, link }) => known && link === undefined))
  assert.is(await count(hub), 3)
  // The link of the one who was here already would be a way into another's account.
  assert.is(made.body.people[2]?.link, undefined)
  const token = secretIn(made.body.people[1]?.link)
  assert.is((await hub.json('POST', '/api/v1/password/reset', { token, password: 'a-new-password' })).status, 204)
  const signedIn = await hub.json('POST', '/api/auth/sign-in/email', {
    email: 'bo@x.example',
    password: 'a-new-password',
  })
  const me = await fetch(`${hub.url}/api/v1/me`, { headers: { cookie: cookieOf(signedIn) } })
  assert.is(((await me.json()) as Me).role, 'instructor')
})

test('a list with a mistake makes nobody', async () => {
  const { hub, cookie } = await open()
  const { status, body } = await send(hub, cookie, { csv: 'name,email\nAda,ada@x.example\nBo,nonsense\n' })
  assert.equal([status, body.code, body.issues[0]?.path], [422, 'import-invalid', 'csv[3].email'])
  assert.is(await count(hub), 1)
})

test('a list that is too long is told to go in parts, in one sentence, whichever limit it meets', async () => {
  const { hub, cookie } = await open()
  const list = (count: number, more: string) =>
    `\ufeffname,email\n${Array.from({ length: count }, (_, at) => `Person ${at}${more},p${at}@x.example`).join('\n')}`
  const sentence =
    /^has more than 50000 people; import it in parts$|is longer than 20 million characters; import it in parts$/
  for (const [csv, status] of [
    [list(50_001, ''), 422],
    [list(50_000, 'x'.repeat(400)), 400],
    [list(50_000, 'x'.repeat(600)), 413],
  ] as const) {
    const answer = await hub.json('POST', '/api/v1/users/import', { csv, preview: true }, { cookie, origin: hub.url })
    const { detail, issues = [] } = (await answer.json()) as { detail: string; issues?: { message: string }[] }
    assert.is(answer.status, status, detail)
    assert.match(issues[0]?.message ?? detail, sentence)
  }
  const stranger = await hub.person('student', ['run'])
  const refused = await hub.json('POST', '/api/v1/users/import', { csv: list(50_001, '') }, stranger.bearer)
  assert.is(refused.status, 403)
  assert.is(await count(hub), 2)
})

test('5,000 people with a byte-order mark are looked through at once; another encoding is told', async () => {
  const { hub, cookie } = await open()
  const lines = Array.from({ length: 5000 }, (_, at) => `${'Ñandú '.repeat(18)}${at},p${at}@x.example`)
  const csv = `\ufeffname,email\n${lines.join('\n')}`
  assert.ok(Buffer.byteLength(csv) > 700_000)
  const looked = await send(hub, cookie, { csv, preview: true })
  assert.equal([looked.status, looked.body.count, looked.body.fresh, looked.body.people.length], [200, 5000, 5000, 500])
  const latin = Buffer.from('name,email\nÑandú,n@x.example\n', 'latin1').toString('utf8')
  const wrong = await send(hub, cookie, { csv: latin, preview: true })
  assert.equal([wrong.status, wrong.body.code, wrong.body.issues[0]?.path], [422, 'import-invalid', 'csv[2]'])
})

test('an instructor imports students and nobody above', async () => {
  const { hub, cookie } = await open()
  const made = await send(hub, cookie, { csv: 'name,email,role\nBo,bo@x.example,instructor' })
  const token = secretIn(made.body.people[0]?.link)
  await hub.json('POST', '/api/v1/password/reset', { token, password: 'a-new-password' })
  const bo = cookieOf(
    await hub.json('POST', '/api/auth/sign-in/email', { email: 'bo@x.example', password: 'a-new-password' }),
  )
  const refused = await send(hub, bo, { csv: 'name,email,role\nC,c@x.example,\nD,d@x.example,admin' })
  assert.equal([refused.status, refused.body.issues[0]?.path], [422, 'csv[3].role'])
  assert.is((await send(hub, bo, { csv: 'name,email\nC,c@x.example' })).status, 200)
})

test('with a mail server each new person gets a letter, and no link is answered', async () => {
  const mail = await startMailServer()
  closers.push(mail.close)
  const { hub, cookie } = await open(mail.url)
  const { body } = await send(hub, cookie, { csv: `name,email\nAda,ada@x.example\nBo,bo@x.example\nX,${admin.email}` })
  assert.ok(body.letters)
  assert.ok(body.people.every(({ link }) => link === undefined))
  for (const to of ['ada@x.example', 'bo@x.example']) await mail.letterTo(to)
  assert.equal(mail.letters.map((letter) => /^To: (.*)\r$/m.exec(letter)?.[1]).sort(), [
    'ada@x.example',
    'bo@x.example',
  ])
  assert.match(mail.letters[0] ?? '', /\/reset#token=/)
})

test.run()
