import type { Edge } from '@fernlab/edge/main'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startLabServerNode } from './lab-server-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite("sessions on a lab's own server", { timeoutMs: 30_000 })
let lab: TestHub
let server: TestLabServer
let edge: Edge
let ada: TestPerson
let ben: TestPerson
let teacher: TestPerson

test.before(async () => {
  server = await startTestLabServer()
  lab = await startTestHub()
  // Browsers reach it by themselves; through the hub: lab-visits.test.ts.
  edge = await startLabServerNode(lab, server, ', pages: direct')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  teacher = await newPerson(lab, 'instructor')
})
test.after(async () => {
  await edge.close()
  await lab.close()
  await server.stop()
})

const get = async (who: TestPerson, id: string) => (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const reaches = async (who: TestPerson, id: string, state: Session['state']): Promise<Session> => {
  await until(async () => (await get(who, id)).state === state, `session ${id} is ${state}`)
  return await get(who, id)
}
const open = async (who: TestPerson): Promise<Session> => {
  const { status, body } = await who.ask('POST', '/api/v1/sessions', { lab: 'robot' })
  assert.is(status, 201, JSON.stringify(body))
  return await reaches(who, (body as Session).id, 'active')
}
const page = (who: TestPerson, id: string) => who.ask('POST', `/api/v1/sessions/${id}/visit`)
const close = async (who: TestPerson, id: string) => {
  await who.ask('POST', `/api/v1/sessions/${id}/finish`)
  return await reaches(who, id, 'closed')
}

test('the page is for who takes part, while the session is active; the server gets a pseudonym', async () => {
  const session = await open(ada)
  assert.equal([session.ownServer, session.seconds, session.mostSeconds], [true, 120, 120])
  const told = server.sessions.at(-1)?.server ?? {}
  const user = String(told['request.username'])
  assert.match(user, /^user-[0-9a-f]{16}$/)
  assert.equal(
    [told['request.username.unique'], told['request.full_name'], told['request.experiment_id.experiment_name']],
    [`${user}@main`, user, 'robot'],
  )
  assert.is(server.sessions.at(-1)?.back, `${lab.hub.httpUrl}/sessions/${session.id}`)
  assert.not.match(JSON.stringify(server.sessions), /Person/)

  const own = await page(ada, session.id)
  assert.is(own.status, 200, JSON.stringify(own.body))
  assert.equal(own.body, { url: `${server.url}callback/${server.sessions.length}`, through: 'direct' })
  assert.is((await page(ben, session.id)).status, 404)
  assert.is((await page(teacher, session.id)).status, 403)

  await close(ada, session.id)
  assert.is(server.sessions.at(-1)?.disposed, 1)
  const late = await page(ada, session.id)
  assert.equal([late.status, (late.body as { code: string }).code], [409, 'session-not-active'])
  const again = await open(ada)
  assert.is(server.sessions.at(-1)?.server['request.username'], user)
  await close(ada, again.id)
})

test('names leave the hub only when an admin says so', async () => {
  assert.is((await ada.ask('PUT', '/api/v1/settings/lab-servers', { names: true })).status, 403)
  assert.is((await lab.call('/api/v1/settings/lab-servers', { method: 'PUT', json: { names: true } })).status, 200)
  const session = await open(ben)
  assert.match(String(server.sessions.at(-1)?.server['request.full_name']), /^Person \d+$/)
  assert.match(String(server.sessions.at(-1)?.server['request.username']), /^user-/)
  await close(ben, session.id)
})

test('what the server did is in the documents; its own end closes the session', async () => {
  const session = await open(ada)
  server.shouldFinish = -1
  // Asked again when it had said.
  const closed = await reaches(ada, session.id, 'closed')
  server.shouldFinish = 5
  assert.is(closed.reason, "the lab's server has ended it")
  const csv = await lab.call(`/api/v1/runs/${session.id}/data.csv?stream=commands`)
  const text = await csv.text()
  assert.match(text, /lab-start/)
  assert.match(text, /lab-status/)
})

test('an error of the lab is what the student reads', async () => {
  server.instead = (call, _request, response) => {
    if (call !== '') return false
    response.end(JSON.stringify({ error: true, message: 'the arm is stuck' }))
    return true
  }
  const { body } = await ada.ask('POST', '/api/v1/sessions', { lab: 'robot' })
  const closed = await reaches(ada, (body as Session).id, 'closed')
  server.instead = undefined
  assert.is(closed.error?.studentMessage, 'The lab could not be started: the arm is stuck')
  const bench = (await (await lab.call('/api/v1/benches/robots.arm')).json()) as { out?: true }
  assert.is(bench.out, undefined)
})

test('a disposal that fails three times takes the bench out, with the reason', async () => {
  const session = await open(ada)
  server.instead = (call, request, response) => {
    if (request.method !== 'POST' || call === '') return false
    response.writeHead(500).end()
    return true
  }
  await close(ada, session.id)
  server.instead = undefined
  const bench = (await (await lab.call('/api/v1/benches/robots.arm')).json()) as { out?: true; reason?: string }
  assert.is(bench.out, true)
  assert.match(String(bench.reason), /answered with status 500/)
  assert.is((await lab.call('/api/v1/benches/robots.arm/put-back', { method: 'POST' })).ok, true)
})

test.run()
