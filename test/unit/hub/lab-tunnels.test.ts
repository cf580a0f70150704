import { once } from 'node:events'
import type { ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { PassThrough } from 'node:stream'
import { createLabTunnels } from '@fernlab/hub/lab-servers/lab-tunnels'
import { TunnelAgent } from '@fernlab/hub/lab-servers/tunnel-agent'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('how many connections lead to one node')

test('a node has a number for all its sessions together; each that ends makes room, and others have their own', async () => {
  const failing: ((error: LabError) => void)[] = []
  const tunnels = createLabTunnels({
    sessions: { seat: (id) => ({ node: id.split(' ')[0] ?? '', attempt: 1 }), onChange: () => () => {} },
    fleet: { onChange: () => () => {} },
    // The node is asked for each, and does not answer: what is being opened counts.
    calls: { call: () => new Promise<never>((_resolve, reject) => failing.push(reject)) },
    publicUrl: () => 'http://hub.example',
    clock: new ManualClock(),
    log: silentLog,
  })
  const open = async (session: string): Promise<Duplex> =>
    ((await tunnels.agentFor(session)) as TunnelAgent).createConnection().on('error', () => {})
  const refusalOf = async (session: string): Promise<LabError> => {
    const [error] = await once(await open(session), 'error')
    return error
  }
  const opened: Duplex[] = []
  for (let at = 0; at < 400; at++) opened.push(await open(`first ${at % 10}`))
  // Of a session that has none yet as well.
  for (const session of ['first 0', 'first 10']) {
    const { code, message } = await refusalOf(session)
    assert.equal([code, message.slice(0, 29)], ['session-busy', '400 connections of first to t'], message)
  }
  const other = await open('second 0')
  const [one] = opened.splice(0, 1)
  const closed = new Promise((resolve) => one?.once('close', resolve).on('error', () => {}))
  failing[0]?.(new LabError({ code: 'lab-server-unreachable', kind: 'link', message: 'nobody listens' }))
  await closed
  opened.push(await open('first 10'))
  assert.is((await refusalOf('first 10')).code, 'session-busy', 'one made room for one')
  assert.is([...opened, other].filter(({ destroyed }) => destroyed).length, 0)
  tunnels.stop()
  assert.is([...opened, other].filter(({ destroyed }) => !destroyed).length, 0)
})

test('a connection that is used again and again is closed once it rests, and carries nothing along', async () => {
  const clock = new ManualClock(0)
  // `ref`: what Node's agent asks of a socket that it uses again.
  const socket = Object.assign(new PassThrough(), { ref: () => {} })
  const agent = new TunnelAgent({ connect: () => socket, clock })
  const before = socket.listenerCount('close')
  for (let use = 0; use < 30; use++) {
    agent.keepSocketAlive(socket)
    agent.reuseSocket(socket, {} as ClientRequest)
  }
  assert.is(socket.listenerCount('close'), before)
  await clock.advance(60_000)
  assert.not(socket.destroyed, 'it is in use')
  agent.keepSocketAlive(socket)
  await clock.advance(60_000)
  assert.ok(socket.destroyed)
})

test.run()
