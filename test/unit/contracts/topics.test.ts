import { hubToNode, nodeToHub, parseTopic, topics } from '@fernlab/shared/contracts/topics'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the topic map')
const site = 'site'
const map = topics(site)
const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/)

test('every topic that is made is read back as what it was', () => {
  fc.assert(
    fc.property(name, name, name, fc.constantFrom(...nodeToHub, ...hubToNode), (node, a, b, channel) => {
      assert.equal(parseTopic(site, map.nodeStatus(node)), { kind: 'node-status', node })
      assert.equal(parseTopic(site, map.nodeHealth(node)), { kind: 'node-health', node })
      assert.equal(parseTopic(site, map.bench(node, a)), { kind: 'bench', node, bench: a })
      assert.equal(parseTopic(site, map.signal(node, a, b)), { kind: 'signal', node, instrument: a, signal: b })
      assert.equal(parseTopic(site, map.signalSet(node, a, b)), { kind: 'signal-set', node, instrument: a, signal: b })
      assert.equal(parseTopic(site, map.sync(node, channel)), { kind: 'sync', node, channel })
    }),
  )
  assert.equal(parseTopic(site, map.hubStatus), { kind: 'hub-status' })
  assert.equal(parseTopic(site, map.hubRuns('succeeded')), { kind: 'hub-runs', state: 'succeeded' })
})

test('what is not in the map is not read', () => {
  for (const topic of [
    '',
    '$SYS/broker',
    'fernlab/v1/other/hub/status',
    'fernlab/v1/site',
    'fernlab/v1/site/',
    'fernlab/v1/site/nodes',
    'fernlab/v1/site/nodes//status',
    'fernlab/v1/site/nodes/a/sync/nonsense',
    'fernlab/v1/site/nodes/a/status/x',
    'fernlab/v1/site/nodes/a/instruments/b/c/set/d',
    'fernlab/v1/site/nodes/a/instruments/b/c/get',
    'fernlab/v1/sitex/hub/status',
  ]) {
    assert.is(parseTopic(site, topic), undefined, topic)
  }
})

test('a hub subscribes to what nodes send and a node to what is meant for it, and no wider', () => {
  assert.ok(map.hubFilters.every((filter) => !filter.includes('#')))
  const filters = map.nodeFilters('a')
  assert.ok(filters.every((filter) => filter.startsWith('fernlab/v1/site/nodes/a/') || filter === map.hubStatus))
  for (const channel of hubToNode) assert.ok(filters.includes(map.sync('a', channel)))
  for (const channel of nodeToHub) assert.not(filters.includes(map.sync('a', channel)))
})

test.run()
