/** Letters about benches, taken by a real mail server. */
import { createServer } from 'node:net'
import { openStore } from '@fernlab/hub/store/store'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type MailServer, messageIdOf, startMailServer } from '../accounts/mail-server.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('letters about benches', { timeoutMs: 60_000 })
let lab: TestHub
let mail: MailServer
let teacher: TestPerson
let port = 0

test.before(async () => {
  mail = await startMailServer()
  lab = await startTestHub({ env: { FERNLAB_SMTP_URL: mail.url, FERNLAB_ADMIN_PASSWORD: 'a-long-enough-password' } })
  teacher = await newPerson(lab, 'instructor')
  // A port that nobody listens on.
  const server = createServer()
  port = await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  await new Promise((resolve) => server.close(resolve))
  const network = {
    kind: 'reachable',
    config: { host: '127.0.0.1', port },
    everyS: 3600,
    retries: 0,
    failuresBeforeOut: 2,
    passesBeforeBack: 1,
  }
  await lab.node('n', { checks: { network } })
})
test.after(async () => {
  await lab.close()
  await mail.close()
})

const check = async () => assert.is((await lab.call('/api/v1/benches/n.b-1/checks', { method: 'POST' })).status, 200)
const letters = (json?: object) =>
  fetch(`${lab.hub.httpUrl}/api/v1/me/bench-letters`, {
    method: json === undefined ? 'GET' : 'PUT',
    headers: { ...teacher.browser, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  }).then((answer) => answer.json())
const reachable = async (work: () => Promise<void>) => {
  const server = createServer((socket) => void socket.on('error', () => {}))
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  await work()
  await new Promise((resolve) => server.close(resolve))
}
const about = () => mail.letters.filter((letter) => letter.includes('n.b-1')).length
const admin = 'admin@lab.example'

test('an admin gets one letter when a check takes the bench out, and one when it is back', async () => {
  await check()
  await check()
  const out = await mail.letterTo(admin)
  assert.match(out, /Subject: main: n\.b-1 is out of use/)
  assert.match(out, /the check network failed: 127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\)/)
  assert.match(out, /\/benches\/n\.b-1/)
  await check()
  await reachable(check)
  assert.match(await mail.letterTo(admin), /Subject: main: n\.b-1 is of use again/)
  assert.is(about(), 2, 'nothing twice, and nothing to programs and to those who did not ask')
})

test('an instructor who wants letters gets them, until they are wanted no more', async () => {
  assert.equal(await letters(), { wanted: false, possible: true })
  assert.equal(await letters({ wanted: true }), { wanted: true, possible: true })
  await check()
  await check()
  assert.match(await mail.letterTo(admin), /is out of use/)
  assert.match(await mail.letterTo('person-1@lab.example'), /is out of use/)
  assert.equal(await letters({ wanted: false }), { wanted: false, possible: true })
  await reachable(check)
  assert.match(await mail.letterTo(admin), /is of use again/)
  assert.is(about(), 5)
})

test('a hub that starts again tells nothing twice', async () => {
  await lab.restart()
  await until(async () => {
    const answer = await lab.call('/api/v1/benches/n.b-1/checks', { method: 'POST' })
    return answer.status === 200
  }, 'the node is back')
  await check()
  assert.match(await mail.letterTo(admin), /is out of use/)
  assert.is(about(), 6)
})

test('what a hub was killed over is told at the next start, as the same letter', async () => {
  const told = mail.letters.findLast((letter) => letter.includes('n.b-1')) ?? ''
  await lab.hub.close()
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  const { id } = await store.db
    .selectFrom('bench_history')
    .select('id')
    .where('letter', '=', 'sent')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  await store.write([store.db.updateTable('bench_history').set({ letter: 'sending' }).where('id', '=', id)])
  await store.close()
  await lab.restart()
  const again = await mail.letterTo(admin)
  assert.match(again, /is out of use/)
  assert.ok(messageIdOf(told))
  assert.is(messageIdOf(again), messageIdOf(told))
})

test.run()
