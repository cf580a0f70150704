import { type Identity, mayPublish, mayReceive, maySubscribe } from '@fernlab/hub/broker/topic-rules'
import { topics } from '@fernlab/shared/contracts/topics'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('topic rules')
const site = 'main'
const map = topics(site)
const node: Identity = { kind: 'node', node: 'n1' }
const integrator = (scopes: string[], admin = false, drives = false): Identity => ({
  kind: 'integrator',
  tokenId: 't',
  personId: 'p',
  scopes,
  admin,
  drives,
})
const reader = integrator(['mqtt:read'])
const watcher = integrator(['mqtt:status'])

test('a node publishes what it says, under its own name only', () => {
  for (const topic of [
    map.nodeStatus('n1'),
    map.nodeHealth('n1'),
    map.bench('n1', 'b'),
    map.signal('n1', 'psu', 'voltage'),
    map.sync('n1', 'documents'),
    map.sync('n1', 'inventory'),
  ]) {
    assert.ok(mayPublish(site, node, topic), topic)
    assert.not(mayPublish(site, node, topic.replace('/n1/', '/n2/')), 'under another name')
    assert.not(mayPublish('other', node, topic), 'on another site')
  }
})

test('a node publishes nothing that is the hub’s, the broker’s or a command', () => {
  for (const topic of [
    map.hubStatus,
    map.hubRuns('queued'),
    map.sync('n1', 'assign'),
    map.sync('n1', 'acknowledge'),
    map.signalSet('n1', 'psu', 'voltage'),
    '$SYS/broker/x',
    'fernlab/v1/main/nodes/n1',
    'fernlab/v1/main/nodes/n1/unknown',
    'elsewhere',
  ]) {
    assert.not(mayPublish(site, node, topic), topic)
  }
})

test('an integrator publishes nothing', () => {
  for (const topic of [map.nodeStatus('n1'), map.signalSet('n1', 'psu', 'voltage'), map.hubStatus, 'x']) {
    assert.not(mayPublish(site, integrator(['mqtt:read', 'mqtt:status', 'admin'], true), topic), topic)
  }
})

test('one that may drive benches publishes values to set, and reads them nowhere', () => {
  const driver = integrator(['mqtt:read', 'run'], false, true)
  assert.ok(mayPublish(site, driver, map.signalSet('n1', 'psu', 'voltage')))
  assert.not(mayPublish(site, driver, map.signalSet('n1', 'psu', 'voltage'), true), 'for later')
  assert.not(mayPublish('other', driver, map.signalSet('n1', 'psu', 'voltage')), 'on another site')
  for (const topic of [map.signal('n1', 'psu', 'voltage'), map.bench('n1', 'b'), map.hubStatus]) {
    assert.not(mayPublish(site, driver, topic), topic)
  }
  assert.not(mayReceive(site, driver, map.signalSet('n1', 'psu', 'voltage')), 'there is a lease in it')
})

test('a node subscribes to its own topics and the hub’s status', () => {
  for (const filter of map.nodeFilters('n1')) assert.ok(maySubscribe(site, node, filter), filter)
  for (const filter of [
    ...map.nodeFilters('n2').slice(0, -1),
    '#',
    '+/#',
    'fernlab/v1/main/#',
    'fernlab/v1/main/nodes/+/sync/assign',
  ]) {
    assert.not(maySubscribe(site, node, filter), filter)
  }
})

test('a node whose name begins like another’s does not read the other’s topics', () => {
  assert.not(maySubscribe(site, node, 'fernlab/v1/main/nodes/n10/sync/#'))
  assert.not(mayReceive(site, node, map.sync('n10', 'assign')))
})

test('an integrator may subscribe with wildcards and receives what the scopes allow', () => {
  for (const filter of [
    '#',
    '+/v1/#',
    'fernlab/v1/main/#',
    'fernlab/v1/main/nodes/+/health',
    'fernlab/v1/main/nodes/#',
  ]) {
    assert.ok(maySubscribe(site, reader, filter), filter)
  }
  assert.ok(mayReceive(site, reader, map.signal('n1', 'psu', 'voltage')))
  assert.not(mayReceive(site, watcher, map.signal('n1', 'psu', 'voltage')))
  for (const topic of [
    map.hubStatus,
    map.hubRuns('running'),
    map.nodeStatus('n1'),
    map.nodeHealth('n1'),
    map.bench('n1', 'b'),
  ]) {
    assert.ok(mayReceive(site, reader, topic), topic)
    assert.ok(mayReceive(site, watcher, topic), topic)
    assert.not(mayReceive(site, integrator(['read', 'run']), topic), 'without an MQTT scope')
  }
})

test('nobody but the node receives its sync, and nobody values to set', () => {
  assert.not(mayReceive(site, node, map.signalSet('n1', 'psu', 'voltage')), 'they are for the hub')
  for (const topic of [map.sync('n1', 'documents'), map.sync('n1', 'assign')]) {
    assert.not(mayReceive(site, integrator(['mqtt:read', 'admin'], true), topic), topic)
    assert.ok(mayReceive(site, node, topic), topic)
  }
  for (const filter of [
    'fernlab/v1/main/nodes/+/sync/#',
    'fernlab/v1/main/nodes/n1/sync/+',
    '+/+/+/nodes/+/sync/#',
    'fernlab/v1/main/nodes/+/instruments/+/+/set',
  ]) {
    assert.not(maySubscribe(site, reader, filter), filter)
  }
})

test('$SYS is for admins', () => {
  const boss = integrator(['mqtt:read', 'admin'], true)
  assert.ok(maySubscribe(site, boss, '$SYS/#'))
  assert.ok(mayReceive(site, boss, '$SYS/x/heartbeat'))
  for (const who of [reader, node]) {
    assert.not(maySubscribe(site, who, '$SYS/#'))
    assert.not(maySubscribe(site, who, '$SYS/x/heartbeat'))
    assert.not(mayReceive(site, who, '$SYS/x/heartbeat'))
  }
  assert.not(maySubscribe(site, boss, '$share/group/#'))
})

test.run()
