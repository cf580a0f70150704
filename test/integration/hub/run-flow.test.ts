import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub } from './hub-with-node.ts'

const test = suite('a run from submission to its results', { timeoutMs: 20_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
  await lab.node('node-1', { benches: 4 })
})
test.after(() => lab.close())

test('a run is done on a bench and its output comes back', async () => {
  const { run } = await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'set', parameters: { value: 3 } })
  const done = await lab.final(run.id)
  assert.is(done.state, 'succeeded', done.reason)
  assert.is(done.outputs.value?.value, 3)
  assert.match(done.bench ?? '', /^node-1\.b-[1-4]$/)
  assert.equal(done.rows, { primary: 1 })
})

test('two hundred runs all end once', async () => {
  const runs = await Promise.all(
    Array.from({ length: 200 }, () => lab.hub.runs.submit(admin, { lab: 'small', protocol: 'nothing' })),
  )
  for (const { run } of runs) assert.is((await lab.final(run.id)).state, 'succeeded')
})

test.run()
