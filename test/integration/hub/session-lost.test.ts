import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, toldState, watch } from './session-people.ts'

const test = suite('who leaves while they wait for a session', { timeoutMs: 30_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub({ sessionLostMs: 1500, labYaml: 'session: { prepare: [{ wait: 600 }] }\n' })
  await lab.node('node-1')
})
test.after(() => lab.close())

test('who is not heard of gives up the place, or the bench that is being prepared; who is there keeps it', async () => {
  const [ada, ben, cleo] = [await newPerson(lab), await newPerson(lab), await newPerson(lab)]
  const open = async (who: typeof ada) =>
    ((await who.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session).id
  // Staff who look do not keep the place for anybody.
  const stateOf = async (id: string) => (await (await lab.call(`/api/v1/sessions/${id}`)).json()) as Session
  const prepared = await open(ada)
  await until(async () => (await stateOf(prepared)).state === 'preparing', 'the bench is prepared')
  const there = await open(cleo)
  const viewer = await watch(lab, there, cleo.bearer)
  const gone = await open(ben)
  await until(async () => (await stateOf(gone)).state === 'closed', 'the one who left is out of the queue')
  await until(async () => (await stateOf(prepared)).state === 'closed', 'the bench is given to somebody else')
  assert.is((await stateOf(gone)).reason, 'nobody was there any more')
  assert.is((await stateOf(prepared)).reason, 'nobody was there any more')
  await until(() => toldState(viewer) === 'preparing', 'the one who stayed has the bench')
  viewer.close()
})

test.run()
