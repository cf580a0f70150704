/** A program that holds a lock at a node without a hub hears that it is lost, and why. */
import { connectNodes } from '@fernlab/shared/clients/typescript/connect-nodes'
import { connect } from '@fernlab/shared/clients/typescript/node'
import { inProcessAddress, inProcessWay } from '@fernlab/shared/clients/typescript/ways/in-process'
import type { Way } from '@fernlab/shared/clients/typescript/ways/way'
import type { LocalDoor } from '@fernlab/shared/links/local/local-door'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Link } from '@fernlab/shared/rpc/link'
import * as assert from 'uvu/assert'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { SITE } from '../../support/edge/scripted-hub.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('a lock that is lost without a hub', { timeoutMs: 30_000 })
let node: TestNode
const psu = 'bench-1.psu'
/** The current follows the voltage over 100 Ω. */
const interlocks = { 'too-much': { bench: 'bench-1', when: 'psu.current > 0.05', title: 'Too much', everyMs: 10 } }
/** Whichever node runs now. */
const door: LocalDoor = { site: SITE, node: 'n1', take: (link, from) => node.edge.services.door.take(link, from) }

const untilFree = async () => {
  await using lab = owner()
  const areFree = async () => (await lab.directory.find({ state: 'up' })).length === 2
  await until(areFree, 'the benches are free', 20_000)
}
test.before.each(async () => {
  node = await startTestNode(undefined, { config: { object: { ...nodeFileAlone(2), interlocks } } })
  await untilFree()
})
test.after.each(() => node.remove())

const owner = () => connect({ here: [door] })

/** Somebody with a token, whose way can be cut. */
async function ada({ graceS = 10, lifetimeS = 600, rights = ['read', 'use', 'lock'] } = {}) {
  const peer = await onMachine(node.dataFolder)
  const asked = { person: 'ada', services: ['*'], rights, lifetimeS }
  const { token } = (await peer.call('node/token', asked)) as { token: string }
  await peer.close()
  const way = inProcessWay({ doors: [door], from: 'anyone' })
  const links: Link[] = []
  let isDown = false
  const own: Way = {
    ...way,
    connect: async (address, signal) => {
      if (isDown) throw new LabError({ code: 'link-unreachable', kind: 'link', retry: 'later', message: 'cut' })
      const link = await way.connect(address, signal)
      links.push(link)
      return link
    },
  }
  const nodes = async () => [{ id: `${SITE}/n1`, addresses: [inProcessAddress(door)], token }]
  return {
    client: connectNodes({ nodes, ways: [own], clock, graceS }),
    cut: async () => {
      isDown = true
      for (const link of links.splice(0)) await link.close('cut')
    },
    mend: () => {
      isDown = false
    },
  }
}

const reasonOf = (lost: AbortSignal) =>
  new Promise<LabError>((resolve) => {
    if (lost.aborted) return resolve(lost.reason)
    lost.addEventListener('abort', () => resolve(lost.reason), { once: true })
  })
const whyOf = async (lost: AbortSignal) => {
  const error = await reasonOf(lost)
  assert.instance(error, LabError)
  assert.is(error.code, 'lock-ended')
  return [error.details?.why, error.message]
}

test('staff has ended it: why is told at once, and giving it back takes nothing from who has it next', async () => {
  const { client } = await ada()
  await using staff = owner()
  const lock = await client.lock([psu, 'bench-2.psu'])
  assert.not(lock.lost.aborted)
  await staff.unlock([psu], { reason: 'it smells' })
  assert.equal(await whyOf(lock.lost), [
    'ended-by-other',
    'the lock of bench bench-1 was ended by somebody with the right to: it smells',
  ])
  await using _its = await staff.lock([psu])
  await lock.release()
  const states = (await staff.directory.find()).map(({ name, state }) => `${name} ${state}`)
  assert.equal(states, ['bench-1.psu locked', 'bench-2.psu up'])
  await client.close()
})

test('who may end locks of others is told who has ended theirs, others why alone', async () => {
  const ends = async (rights: string[]) => {
    const { client } = await ada({ rights })
    const lock = await client.lock([psu])
    await staff.unlock([psu], { reason: 'it smells' })
    const { message, details } = await reasonOf(lock.lost)
    await client.close()
    return { message, ...details }
  }
  await using staff = owner()
  const told = { service: psu, why: 'ended-by-other', reason: 'it smells' }
  const ended = 'the lock of bench bench-1 was ended by'
  assert.equal(await ends(['read', 'use', 'lock']), {
    message: `${ended} somebody with the right to: it smells`,
    ...told,
  })
  const by = "the owner of the node's machine"
  assert.equal(await ends(['read', 'use', 'lock', 'unlock']), { message: `${ended} ${by}: it smells`, ...told, by })
})

test('its node could not be reached for longer than the grace: told when it can again', async () => {
  const { client, cut, mend } = await ada({ graceS: 0.2 })
  const lock = await client.lock([psu])
  await cut()
  await untilFree()
  assert.not(lock.lost.aborted)
  mend()
  assert.equal(await whyOf(lock.lost), ['grace-over', 'no link of the owner of bench bench-1 was there for 0.2 s'])
  await client.close()
})

test('a break that is shorter than the grace loses nothing', async () => {
  const { client, cut, mend } = await ada({ graceS: 60 })
  const lock = await client.lock([psu])
  const supply = await client.service(psu)
  await cut()
  mend()
  await supply.set('voltage', 1)
  assert.not(lock.lost.aborted)
  await lock.release()
  assert.not(lock.lost.aborted)
  await client.close()
})

test('its node was started again, which keeps no locks', async () => {
  const { client } = await ada({ graceS: 60 })
  const lock = await client.lock([psu])
  node = await node.restart()
  const [why, message] = await whyOf(lock.lost)
  assert.is(why, 'not-known')
  assert.match(String(message), /keeps no locks over a start/)
  await client.close()
})

test('an interlock of the bench has tripped', async () => {
  const { client } = await ada()
  const lock = await client.lock([psu])
  const supply = await client.service(psu)
  await supply.set('output', true)
  await supply.set('voltage', 6)
  const [why, message] = await whyOf(lock.lost)
  assert.is(why, 'bench-ended')
  assert.match(String(message), /^interlock too-much of bench bench-1 has tripped: psu\.current > 0\.05/)
  await client.close()
})

test('another program of the same person has unlocked it; a token that ended ends it too', async () => {
  const [one, other] = [await ada(), await ada({ graceS: 60 })]
  const lock = await one.client.lock([psu])
  await other.client.unlock([psu])
  assert.equal(await whyOf(lock.lost), ['unlocked', 'bench bench-1 was unlocked by its owner'])
  await Promise.all([one.client.close(), other.client.close()])
  // Of whole seconds, the first of which may be nearly over.
  const short = await ada({ lifetimeS: 5 })
  const ends = await short.client.lock([psu])
  const error = await reasonOf(ends.lost)
  assert.match(error.code, /^(token-expired|lock-ended)$/)
  await short.client.close()
})

test.run()
