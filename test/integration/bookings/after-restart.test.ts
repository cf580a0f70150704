import { setTimeout as sleep } from 'node:timers/promises'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from '../hub/hub-with-node.ts'
import { startScriptedNode } from '../hub/scripted-node.ts'

const test = suite('bookings when a hub starts again', { timeoutMs: 60_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub({ labYaml: 'session:\n  seconds: 60\n  mostSeconds: 7200\n' })
})
test.after(() => lab.close())

const call = async <Answer>(method: string, path: string, json?: object): Promise<Answer> => {
  const answer = await lab.call(path, { method, ...(json === undefined ? {} : { json }) })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
  return (await answer.json()) as Answer
}
const book = (inS: number, more: object = {}) =>
  call<Booking>('POST', '/api/v1/bookings', {
    lab: 'small',
    start: new Date(Date.now() + inS * 1000).toISOString(),
    seconds: 3600,
    ...more,
  })

test('one whose node is not back yet waits a moment for it, and does not take what another has booked', async () => {
  const nodes = [await startScriptedNode(lab, 'm'), await startScriptedNode(lab, 'n')]
  for (const node of nodes) await node.greet()
  const due = await book(3)
  await book(900, { bench: 'm.b' })
  for (const node of nodes) await node.close()
  await lab.restart()
  await until(() => Date.now() > Date.parse(due.start), 'its time comes')
  const first = await startScriptedNode(lab, 'm')
  await first.greet()
  await sleep(2500)
  assert.is((await call<Booking>('GET', `/api/v1/bookings/${due.id}`)).session, undefined)
  const second = await startScriptedNode(lab, 'n')
  await second.greet()
  await until(async () => (await call<Booking>('GET', `/api/v1/bookings/${due.id}`)).session !== undefined, 'it begins')
  const { session } = await call<Booking>('GET', `/api/v1/bookings/${due.id}`)
  assert.is((await call<Session>('GET', `/api/v1/sessions/${session}`)).bench, 'n.b')
  await first.close()
  await second.close()
})

test.run()
