import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub } from '../hub/hub-with-node.ts'
import { type ScriptedNode, startScriptedNode } from '../hub/scripted-node.ts'

const test = suite('bookings on a hub', { timeoutMs: 30_000 })
const hourMs = 3_600_000
const firstHour = Math.ceil(Date.now() / hourMs) * hourMs + 24 * hourMs
const at = (hours: number) => new Date(firstHour + hours * hourMs).toISOString()
let lab: TestHub
let node: ScriptedNode

test.before(async () => {
  lab = await startTestHub()
  node = await startScriptedNode(lab, 'n', ['a', 'b'])
})
test.after(async () => {
  await node.close()
  await lab.close()
})

const call = async <Answer>(method: string, path: string, json?: object): Promise<Answer> =>
  (await (await lab.call(path, { method, ...(json === undefined ? {} : { json }) })).json()) as Answer
const book = (start: string, more: object = {}) =>
  call<Booking & { code?: string; details?: object }>('POST', '/api/v1/bookings', {
    lab: 'small',
    start,
    seconds: 3600,
    ...more,
  })
const free = async (from: string, to: string) =>
  (await call<Calendar>('GET', `/api/v1/labs/small/calendar?from=${from}&to=${to}`)).free.map(({ benches }) => benches)

test('what was booked is still booked when the hub comes up again, before any node does', async () => {
  await node.close()
  await book(at(0), { places: 2 })
  await lab.restart()
  assert.is((await book(at(0.5))).code, 'booking-conflict')
  assert.equal(await free(at(0), at(1)), [0])
  node = await startScriptedNode(lab, 'n', ['a', 'b'])
})

test('nothing is booked while a bench is closed; what was booked before moves, or says that it has no bench', async () => {
  const first = await book(at(10))
  const outage = (bench: string) =>
    call<{ id: string }>('POST', `/api/v1/benches/${bench}/outages`, { reason: 'new fuse', from: at(9), until: at(12) })
  const { id } = await outage('n.a')
  assert.equal(await free(at(9), at(13)), [1, 0, 1, 2])
  assert.is((await call<Booking>('GET', `/api/v1/bookings/${first.id}`)).trouble, undefined)
  const refused = await book(at(9.5))
  assert.equal([refused.code, refused.details], ['booking-conflict', { before: at(9), after: at(11) }])
  await outage('n.b')
  assert.equal(await free(at(9), at(13)), [0, 2])
  assert.is((await call<Booking>('GET', `/api/v1/bookings/${first.id}`)).trouble, 'no bench is left for it')
  const { closed } = await call<Calendar>('GET', `/api/v1/labs/small/calendar?from=${at(10)}&to=${at(11)}`)
  const why = { start: at(9), end: at(12), reason: 'new fuse' }
  assert.equal(closed, [
    { bench: 'n.a', ...why },
    { bench: 'n.b', ...why },
  ])
  await lab.call(`/api/v1/benches/n.a/outages/${id}`, { method: 'DELETE' })
  assert.is((await call<Booking>('GET', `/api/v1/bookings/${first.id}`)).trouble, undefined)
})

test.run()
