import { createConnection } from '@fernlab/shared/clients/typescript/connection'
import { byHubAddress } from '@fernlab/shared/clients/typescript/ways/by-hub'
import { inProcessAddress } from '@fernlab/shared/clients/typescript/ways/in-process'
import { nodeWays } from '@fernlab/shared/clients/typescript/ways/node-ways'
import { pageWays } from '@fernlab/shared/clients/typescript/ways/page-ways'
import { candidates, type Way } from '@fernlab/shared/clients/typescript/ways/way'
import type { LocalDoor } from '@fernlab/shared/links/local/local-door'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the ways to a node')

const door: LocalDoor = {
  site: 'berlin',
  node: 'pi',
  take: (link) => void createPeer({ link, clock, serve: (_, params) => params }),
}
const addresses = [
  'peer:paris/pi',
  byHubAddress('pi'),
  'wss://pi/rpc',
  'ws://10.0.0.5:8090/rpc',
  'unix:/run/pi.sock',
  inProcessAddress(door),
]
const plan = (ways: readonly Way[]) => {
  const { open, refused } = candidates(addresses, ways)
  return { open: open.map(({ way, address }) => `${way.kind} ${address}`), refused: refused.map(({ why }) => why) }
}

test('a program has them in the order of its list, whatever the order of the addresses', () => {
  const hub = { url: 'https://lab.example.org', token: 'a token' }
  assert.equal(plan(nodeWays({ clock, hub, here: { doors: [door], from: 'owner' } })), {
    open: [
      'in-process in-process:berlin/pi',
      'unix-socket unix:/run/pi.sock',
      'websocket wss://pi/rpc',
      'websocket ws://10.0.0.5:8090/rpc',
      'mqtt hub:pi',
      'peer-hub peer:paris/pi',
    ],
    refused: [],
  })
  assert.equal(plan(nodeWays({ clock })).refused, ['no hub leads there', 'no such node is in this process'])
})

test('a page has those that a browser can open, and says why not the others', () => {
  const page = { clock, WebSocket: class {} as never, isSecurePage: true }
  assert.equal(plan(pageWays(page)), {
    open: ['websocket wss://pi/rpc', 'peer-hub peer:paris/pi'],
    refused: [
      'no hub leads there',
      'a page that came by HTTPS can not open it: the node has no TLS',
      'this client knows no way of that kind',
      'this client knows no way of that kind',
    ],
  })
  const local = candidates(['ws://127.0.0.1:8090/rpc', 'ws://[::1]:8090/rpc'], pageWays(page))
  assert.is(local.open.length, 2)
})

test('what leads to another site is refused at once, by an error that says what to do', async () => {
  const connection = createConnection({
    node: 'paris/pi',
    ways: nodeWays({ clock }),
    access: async () => ({ addresses: ['peer:paris/pi'] }),
    clock,
  })
  const error = await connection.call('scope/autoscale').then(
    () => assert.unreachable('it was done') as never,
    (thrown: LabError) => thrown,
  )
  assert.instance(error, LabError)
  assert.equal([error.code, error.kind, error.retry], ['site-foreign', 'caller', 'never'])
  assert.match(error.message, /paris\/pi is of another site .*: ask the hub of its site/)
  await connection.close()
})

test('a further way is one more in the list: it is taken in its place', async () => {
  const tried: string[] = []
  const serial: Way = {
    kind: 'websocket',
    refusal: (address) => (address.startsWith('serial:') ? undefined : 'other'),
    connect: async (address) => {
      tried.push(address)
      throw new LabError({ code: 'link-unreachable', kind: 'link', message: 'nothing is plugged in' })
    },
  }
  const ways = nodeWays({ clock, here: { doors: [door], from: 'owner' } })
  const connection = createConnection({
    node: 'pi',
    ways: [serial, ...ways],
    access: async () => ({ addresses: [inProcessAddress(door), 'serial:/dev/ttyS0'] }),
    clock,
  })
  assert.is(await connection.call('echo', 5), 5)
  assert.equal([tried, connection.way?.kind], [['serial:/dev/ttyS0'], 'in-process'])
  await connection.close()
})

test.run()
