import { doHanded } from '@fernlab/edge/services/daemons/host/handed-batch'
import type { HostedBatch } from '@fernlab/edge/services/daemons/host-messages'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('calls of a batch in the process of a daemon')
const context = { signal: new AbortController().signal, wantsStream: false }
const kind = (action: string, session: string) => ({ method: 'pi/call', params: { action, session } })

test('each call is done as what its kind says, also where kinds have one name', async () => {
  const batch: HostedBatch = {
    call: 1,
    stop: false,
    room: { bytes: 1e6, values: 1e5, form: 'binary' },
    kinds: [kind('off', 'a'), kind('off', 'b'), kind('on', 'a')],
    calls: [0, 1, 2, 1],
    args: [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }],
  }
  const done: unknown[] = []
  const service = {
    doChecked: (params: Readonly<Record<string, unknown>>, args: unknown) => {
      done.push([params.action, params.session, (args as { n: number }).n])
      return null
    },
  }
  const answer = await doHanded(batch, () => ({ service }), context)
  assert.equal(answer.errors, [])
  assert.equal(done, [
    ['off', 'a', 0],
    ['off', 'b', 1],
    ['on', 'a', 2],
    ['off', 'b', 3],
  ])
})

test.run()
