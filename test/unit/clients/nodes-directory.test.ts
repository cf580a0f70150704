import { nodesDirectory } from '@fernlab/shared/clients/typescript/nodes-directory'
import type { Way } from '@fernlab/shared/clients/typescript/ways/way'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { members } from '@fernlab/shared/rpc/contract/members'
import type { Link } from '@fernlab/shared/rpc/link'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the directory of nodes without a hub')

const entry = {
  id: 'pi/fit',
  name: 'fit',
  node: 'pi',
  site: 'lab',
  address: 'fernlab://lab/pi/fit',
  state: 'up',
  addresses: [],
  tags: [],
  metadata: {},
  kind: 'fit',
  version: '1.0',
  lastSeen: '2026-01-01T00:00:00Z',
}

function directoryOf(answers: Readonly<Record<string, unknown>>) {
  const clock = new ManualClock()
  const way: Way = {
    kind: 'websocket',
    refusal: () => undefined,
    connect: async () => {
      const [mine, its] = localLinks()
      createPeer({ link: its, clock, serve: (method) => answers[method] })
      return Object.assign(mine, { kind: 'websocket' }) as unknown as Link
    },
  }
  return nodesDirectory({ nodes: async () => [{ addresses: ['here'] }], ways: [way], clock })
}

test('what a node of another version answers is an error of its own kind, with what is wrong in it', async () => {
  const wrong = directoryOf({ 'node/directory': [{ ...entry, state: 'asleep' }] })
  const listed = await rejection(wrong.find())
  assert.instance(listed, LabError)
  assert.equal([listed.code, listed.kind, listed.issues?.[0]?.path], ['unexpected-answer', 'link', '0.state'])
  assert.match(listed.message, /^here answered something else than this client expects/)
  await wrong.close()

  const half = directoryOf({ 'node/directory': [entry], [`fit/${members.contract}`]: { kind: 'fit' } })
  assert.is((await half.find())[0]?.id, 'pi/fit')
  const described = await rejection(half.get('fit'))
  assert.instance(described, LabError)
  assert.equal([described.code, described.issues?.[0]?.path], ['unexpected-answer', 'version'])
  assert.match(described.message, /^pi\/fit answered/)
  await half.close()
})

test.run()
