/** A bench is taken from its person mid-session: by a check that fails, by staff who close it; and what staff end is ended. */
import { createServer, type Server } from 'node:net'
import type { Bench } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson, watch } from './session-people.ts'

const test = suite('a bench that is taken from its person', { timeoutMs: 60_000 })
let lab: TestHub
let ada: TestPerson
let host: Server
let port = 0

const startHost = async () => {
  host = createServer((socket) => void socket.on('error', () => {}))
  await new Promise<void>((resolve) => host.listen(port, '127.0.0.1', resolve))
  port = (host.address() as { port: number }).port
}
const stopHost = () => new Promise<void>((resolve) => void host.close(() => resolve()))

test.before(async () => {
  lab = await startTestHub({
    labYaml: 'session: { seconds: 600, prepare: [{ set: { box.value: 1 } }], cleanUp: [{ set: { box.value: 2 } }] }\n',
  })
  ada = await newPerson(lab)
  await startHost()
  const network = { kind: 'reachable', title: 'Network', config: { host: '127.0.0.1', port } }
  await lab.node('n', { checks: { network: { ...network, everyS: 3600, retries: 1, failuresBeforeOut: 2 } } })
})
test.after(async () => {
  await lab.close()
  if (host.listening) await stopHost()
})

const get = async (id: string) => (await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const reaches = async (id: string, state: Session['state']): Promise<Session> => {
  await until(async () => (await get(id)).state === state, `${id} is ${state}`)
  return await get(id)
}
const open = async (): Promise<string> => {
  const { id } = (await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  await reaches(id, 'active')
  return id
}
const bench = async () => (await (await lab.call('/api/v1/benches/n.b-1')).json()) as Bench
const post = async (path: string, json?: object) => {
  const answer = await lab.call(path, { method: 'POST', ...(json === undefined ? {} : { json }) })
  assert.ok(answer.ok, await answer.clone().text())
  return answer
}
const check = () => post('/api/v1/benches/n.b-1/checks')
const kept = 'what was recorded is kept, and the rest of your time is next in line'
const isClean = async (id: string) => {
  const text = await (await lab.call(`/api/v1/runs/${id}/documents`)).text()
  assert.match(text, /"name":"stop"/, 'its record is whole')
  assert.not.match((await bench()).reason ?? '', /clean-up/, 'its clean-up was done')
}

test('a check that fails too often ends the session with an apology; the rest begins when the check passes', async () => {
  const id = await open()
  const viewer = await watch(lab, id, ada.bearer)
  await viewer.call('set', { values: { 'box.value': 7 } })
  await stopHost()
  await check()
  await new Promise((resolve) => setTimeout(resolve, 1200))
  assert.is((await get(id)).state, 'active', 'once is not too often')
  await check()
  const { reason, next = '', error } = await reaches(id, 'closed')
  assert.match(
    reason ?? '',
    new RegExp(`^we are sorry: the bench broke down \\(the check Network failed: .*\\); ${kept}$`),
  )
  assert.is(error, undefined)
  await until(() => viewer.told('session').at(-1)?.next === next, 'who was in it is told')
  await until(async () => (await bench()).run === undefined, 'the bench is given back')
  assert.equal([(await bench()).state, (await get(next)).state, (await get(next)).position], ['fault', 'waiting', 1])
  await isClean(id)
  await startHost()
  await check()
  await check()
  const rest = await reaches(next, 'active')
  assert.ok(rest.seconds > 560 && rest.seconds < 600, String(rest.seconds))
  await ada.ask('POST', `/api/v1/sessions/${next}/finish`)
  await reaches(next, 'closed')
})

test('staff who close the bench at once give the rest, who give the run up too, and who end the session do not', async () => {
  const closed = await open()
  const { id: outage } = (await (
    await post('/api/v1/benches/n.b-1/outages', { reason: 'smoke', atOnce: true })
  ).json()) as { id: string }
  const shut = await reaches(closed, 'closed')
  assert.is(shut.reason, `we are sorry: the bench went out of use (smoke); ${kept}`)
  await until(async () => (await bench()).run === undefined, 'the bench is given back')
  assert.is((await get(shut.next ?? '')).state, 'waiting')
  await isClean(closed)
  await lab.call(`/api/v1/benches/n.b-1/outages/${outage}`, { method: 'DELETE' })
  await reaches(shut.next ?? '', 'active')

  await post(`/api/v1/runs/${shut.next}/give-up`)
  const given = await reaches(shut.next ?? '', 'closed')
  assert.is(given.reason, `we are sorry: the session was interrupted (given up by the staff); ${kept}`)
  assert.is((await bench()).out, true, 'nobody knows whether it is clean')
  await post('/api/v1/benches/n.b-1/put-back')
  await until(async () => (await get(given.next ?? '')).state === 'active', 'the rest has the bench')

  await post(`/api/v1/sessions/${given.next}/finish`)
  const ended = await reaches(given.next ?? '', 'closed')
  assert.equal([ended.reason, ended.next], ['cancelled by the staff', undefined])
})

test('who is suspended while driving is refused from then on, and the bench is cleaned up and safe', async () => {
  ada = await newPerson(lab)
  const id = await open()
  const viewer = await watch(lab, id, ada.bearer)
  await viewer.call('set', { values: { 'box.value': 7 } })
  const read = async () => {
    const answer = await post('/api/v1/benches/n.b-1/exchange', { read: ['box.value'] })
    return ((await answer.json()) as { readings: Record<string, { value: number }> }).readings['box.value']?.value
  }
  const driven = (await viewer.call('read', { signals: ['box.value'] })) as {
    readings: Record<string, { value: number }>
  }
  assert.is(driven.readings['box.value']?.value, 7)
  await post(`/api/v1/users/${ada.id}/suspend`)
  await viewer.closed
  const set = viewer.call('set', { values: { 'box.value': 8 } })
  assert.is(await set.then(String, () => 'refused'), 'refused')
  const state = async () => (await (await lab.call(`/api/v1/sessions/${id}`)).json()) as Session
  await until(async () => (await state()).state === 'closed', 'it is over')
  assert.equal([(await state()).reason, (await state()).next], ['the account was suspended', undefined])
  await isClean(id)
  assert.is(await read(), 0, 'the safe state')
})

test.run()
