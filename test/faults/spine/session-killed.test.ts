/** Hub or node is killed (-9) while a person drives: nobody is given a bench that is not clean, and no data is lost. */
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type TestViewer, watch } from '../../integration/hub/session-people.ts'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { stopOf } from '../../support/faults/invariants.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a session and what is killed', { timeoutMs: 60_000 })
let lab: FaultLab

const labSession = {
  seconds: 600,
  prepare: [{ set: { 'supply.voltage': 1, 'supply.output': true } }],
  cleanUp: [{ set: { 'supply.voltage': 0.5 } }, { read: { signals: ['meter.voltage'] } }],
  record: [{ signals: ['meter.voltage'], rate: 10, stream: 'readings' }],
}

test.before(async () => {
  lab = await startFaultLab({ session: labSession })
})
test.after(() => lab.close())

const get = (id: string) => lab.client.get<Session>(`/api/v1/sessions/${id}`)
const reaches = async (id: string, state: Session['state']): Promise<Session> => {
  for (;;) {
    const session = await get(id)
    if (session.state === state) return session
    await pause(50)
  }
}
const open = async (): Promise<string> => {
  const { body } = await lab.client.insist('POST', '/api/v1/sessions', { lab: labId })
  const { id } = body as Session
  await reaches(id, 'active')
  return id
}
const enter = (id: string): Promise<TestViewer> =>
  watch({ hub: { httpUrl: `http://127.0.0.1:${lab.httpPort}` } }, id, { authorization: `Bearer ${lab.client.token}` })
/** Sets as soon as the bench answers. */
const set = async (viewer: TestViewer, value: number): Promise<void> => {
  for (;;) {
    const code = await viewer.call('set', { values: { 'supply.voltage': value } }).then(
      () => undefined,
      (error: { code: string }) => error.code,
    )
    if (code === undefined) return
    assert.is(code, 'node-offline')
    await pause(50)
  }
}
const bench = async () => {
  const { items } = await lab.client.get<{ items: { labs: string[]; state: string; run?: string; out?: true }[] }>(
    '/api/v1/benches',
  )
  return items.find(({ labs }) => labs.includes(labId))
}

test('the hub is killed: the session goes on when it is back, and ends with its clean-up', async () => {
  const id = await open()
  const first = await enter(id)
  await set(first, 2)
  const { activeAt } = await get(id)
  await lab.hub.kill()
  await first.closed
  await lab.hub.start()
  const session = await reaches(id, 'active')
  assert.is(session.activeAt, activeAt)
  const again = await enter(id)
  await set(again, 3)
  await again.call('finish')
  assert.is(await again.closed, 4410)
  const [record] = await lab.check([id])
  const stop = stopOf(record?.attempts[0]?.documents)
  assert.equal(stop?.cleanUp, { done: true, tries: 1 })
  assert.ok((stop?.rows.commands ?? 0) >= 5)
  assert.is((await bench())?.out, undefined)
})

test('the node is killed: the session is interrupted, the bench is cleaned up before it is free, and the rest is next', async () => {
  const id = await open()
  const viewer = await enter(id)
  await set(viewer, 2)
  await lab.edge.kill()
  await lab.edge.start()
  await lab.client.online(node)
  const session = await reaches(id, 'closed')
  assert.match(String(session.reason), /restarted/)
  const next = session.next ?? ''
  const rest = await reaches(next, 'active')
  assert.ok(rest.seconds > 500 && rest.seconds < 600, String(rest.seconds))
  await lab.client.insist('DELETE', `/api/v1/sessions/${next}`)
  await reaches(next, 'closed')
  const [record] = await lab.check([id, next])
  const stop = stopOf(record?.attempts[0]?.documents)
  assert.equal([stop?.state, stop?.cleanUp], ['interrupted', { done: true, tries: 1 }])
  assert.is((await bench())?.out, undefined)
})

test('staff close the bench at once: the session is over before its node tells of an end, and its record is whole', async () => {
  const id = await open()
  const viewer = await enter(id)
  await set(viewer, 2)
  const path = `/api/v1/benches/${node}.one/outages`
  const { body } = await lab.client.insist('POST', path, { reason: 'smoke', atOnce: true })
  const { next } = await reaches(id, 'closed')
  await lab.client.insist('DELETE', `/api/v1/sessions/${next}`)
  while ((await bench())?.run !== undefined) await pause(50)
  await lab.client.insist('DELETE', `${path}/${(body as { id: string }).id}`)
  const [record] = await lab.check([id])
  const [attempt] = record?.attempts ?? []
  const stop = stopOf(attempt?.documents)
  assert.equal([attempt?.state, stop?.state, stop?.cleanUp], ['interrupted', 'cancelled', { done: true, tries: 1 }])
  assert.is((await bench())?.out, undefined)
})

test.run()
