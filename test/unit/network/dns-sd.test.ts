import { interfacesOf, tellNetwork } from '@fernlab/edge/services/network/tell-network'
import { answersTo, type DnsRecord, HeardRecords, NODES_TYPE, recordsOf } from '@fernlab/shared/network/dns-sd'
import { openMulticast } from '@fernlab/shared/network/multicast'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('how nodes are told of on their network')
const told = { site: 'berlin', node: 'pi-1', host: '192.0.2.7', port: 8090, tls: false }
const nodesIn = (...messages: readonly DnsRecord[][]) => {
  const heard = new HeardRecords()
  for (const records of messages) heard.add(records)
  return heard.nodes()
}
const asked = (type: string, name: string) => answersTo([{ name, type }], recordsOf(told))

test('one question is answered with all that is needed to go there; what is asked for others is not', () => {
  const { answers, additionals } = asked('PTR', NODES_TYPE.toUpperCase())
  const at = 'ws://192.0.2.7:8090/rpc'
  assert.equal(nodesIn([...answers, ...additionals]), [{ site: 'berlin', node: 'pi-1', tls: false, addresses: [at] }])
  assert.equal(
    asked('ANY', 'pi-1-berlin._fernlab._tcp.local').answers.map(({ type }) => type),
    ['SRV', 'TXT'],
  )
  assert.is(asked('PTR', '_services._dns-sd._udp.local').answers[0]?.data, NODES_TYPE)
  assert.equal(asked('A', 'pi-1-berlin.local').answers.length, 1)
  for (const [type, name] of [
    ['PTR', '_ipp._tcp.local'],
    ['A', 'pi-1.local'],
    ['AAAA', 'pi-1-berlin.local'],
  ] as const)
    assert.equal(asked(type, name).answers, [])
})

test('a node on several networks is one, with TLS where it has it, or at the address that it is given', () => {
  const other = { ...told, host: '198.51.100.7' }
  const found = nodesIn(recordsOf(told), recordsOf(other), recordsOf({ ...told, site: 'a', tls: true }))
  assert.equal(
    found.map(({ site, tls, addresses }) => [site, tls, addresses]),
    [
      ['a', true, ['wss://192.0.2.7:8090/rpc']],
      ['berlin', false, ['ws://192.0.2.7:8090/rpc', 'ws://198.51.100.7:8090/rpc']],
    ],
  )
  const address = 'wss://pi.lab.example.edu/rpc'
  assert.equal(nodesIn(recordsOf({ ...told, address }))[0]?.addresses, [address])
  assert.is(nodesIn(recordsOf({ ...told, tls: true, address: 'ws://pi/rpc' }))[0]?.tls, false)
})

test('one that says goodbye is gone; names as long as they may be still fit into DNS', () => {
  assert.equal(nodesIn(recordsOf(told), recordsOf(told, 0)), [])
  const long = { ...told, site: 's'.repeat(63), node: 'n'.repeat(63) }
  assert.is(nodesIn(recordsOf(long))[0]?.node, long.node)
  for (const { name } of recordsOf(long)) for (const label of name.split('.')) assert.ok(label.length <= 63, name)
  const similar = { ...long, site: `${'s'.repeat(62)}t` }
  assert.is(nodesIn(recordsOf(long), recordsOf(similar)).length, 2)
})

test('what does not fit is no node, however it came', () => {
  const instance = `x.${NODES_TYPE}`
  const records = (port: unknown, texts: unknown, host: unknown, target: unknown = 'x.local'): DnsRecord[] => [
    { name: NODES_TYPE, type: 'PTR', ttl: 120, data: instance },
    { name: instance, type: 'SRV', ttl: 120, data: { port, target } },
    { name: instance, type: 'TXT', ttl: 120, data: texts },
    { name: 'x.local', type: 'A', ttl: 120, data: host },
  ]
  const good = ['site=berlin', 'node=pi-1', 'tls=0']
  assert.is(
    nodesIn(
      records(
        8090,
        good.map((text) => Buffer.from(text)),
        '192.0.2.7',
      ),
    ).length,
    1,
  )
  const bad: DnsRecord[][] = [
    records(0, good, '192.0.2.7'),
    records('8090', good, '192.0.2.7'),
    records(8090, ['site=../..', 'node=pi-1'], '192.0.2.7'),
    records(8090, ['node=pi-1'], '192.0.2.7'),
    records(8090, null, '192.0.2.7'),
    records(8090, good, '192.0.2.7@evil.example'),
    records(8090, good, '192.0.2.7', 7),
    records(8090, [...good, 'address=file:///etc/passwd'], 'none'),
    [{ name: NODES_TYPE, type: 'PTR', ttl: 120, data: { nested: 1 } }],
    [{ name: 7 as never, type: 'PTR', ttl: 120, data: instance }],
  ]
  for (const records of bad) assert.equal(nodesIn(records), [])
  const many = Array.from({ length: 5000 }, (_, i) => recordsOf({ ...told, node: `n${i}` })).flat()
  assert.ok(nodesIn(many).length <= 200)
})

test('only where it listens is told', () => {
  const all = ['192.0.2.7', '198.51.100.7', '127.0.0.1']
  assert.equal(interfacesOf('0.0.0.0', all), all)
  assert.equal(interfacesOf('::', all), all)
  assert.equal(interfacesOf('198.51.100.7', all), ['198.51.100.7'])
  assert.equal(interfacesOf('127.0.0.1', all), ['127.0.0.1'])
  assert.equal(interfacesOf('203.0.113.1', all), [])
})

test('a network that takes nothing is logged once, and tried again', async () => {
  const at = '192.0.2.7'
  const error = await openMulticast({ at }).then(
    () => assert.unreachable('that is no address of this machine'),
    ({ code }) => code,
  )
  assert.is(error, 'multicast-unavailable')
  const clock = new ManualClock()
  const log = recordingLog()
  let looks = 0
  const addresses = () => {
    looks++
    return [at]
  }
  const telling = tellNetwork({ told, host: '0.0.0.0', addresses, clock, log })
  const warned = () => log.lines.filter(({ level }) => level === 'warn').length
  for (let turn = 0; turn < 1000 && warned() === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
  await clock.advance(30_000)
  await telling.close()
  assert.equal([warned(), looks], [1, 4])
})

test.run()
