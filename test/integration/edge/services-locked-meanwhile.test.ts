/** What others have under way of a service when somebody locks it ends with the lock, and reading goes on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'

const test = suite('services that are locked while others use them', { timeoutMs: 30_000, hookTimeoutMs: 120_000 })

/** `open` counts the streams and calls of it that have not ended. */
const SWEEP = `
import { defineService } from '@fernlab/service'
export const contract = defineService({
  kind: 'sweep', version: '1.0',
  actions: {
    ticks: { arguments: {}, items: { type: 'integer' } },
    wait: { arguments: {}, result: { type: 'any' } },
  },
  signals: { open: { unit: '1', dtype: 'integer', shape: [], kind: 'reading', access: 'read' } },
  events: {},
})
export default class {
  open = 0
  async *ticks({}, { signal }) {
    this.open++
    try {
      for (let tick = 0; !signal.aborted; tick++) {
        yield tick
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    } finally {
      this.open--
    }
  }
  async wait({}, { signal }) {
    this.open++
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    this.open--
  }
}
`

let folder: string
let node: TestNode
let owner: Peer
const peers: Peer[] = []

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-locked-'))
  const file = join(folder, 'sweep.ts')
  await writeFile(file, SWEEP)
  const own = { sweep: { file, daemon: 'one' }, other: { file, daemon: 'one' } }
  const services = { listen: { host: '127.0.0.1', port: 0, announce: false }, own }
  node = await startTestNode(undefined, { config: { object: { ...nodeFileAlone(), services, daemons: { one: {} } } } })
  owner = await onMachine(node.dataFolder)
  await until(
    'it is up',
    async () => (await owner.call('other/signals.read', { signals: ['open'] }).catch(() => '')) !== '',
  )
})
test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
})
test.after(async () => {
  await owner.close()
  await node.remove()
  await rm(folder, { recursive: true })
})

const until = async (what: string, holds: () => Promise<boolean>) => {
  for (let turn = 0; turn < 1500; turn++) {
    if (await holds()) return
    await sleep(10)
  }
  throw new Error(`it never came: ${what}`)
}
const enter = async (person: string, rights = ['read', 'use', 'lock']): Promise<Peer> => {
  const asked = { person, services: ['*'], rights }
  const { token } = (await owner.call('node/token', asked)) as { token: string }
  const peer = await overNetwork(node.edge.services.addresses[0] ?? '', token)
  peers.push(peer)
  return peer
}
const openOf = async (service = 'sweep') => {
  const { open } = (await owner.call(`${service}/signals.read`, { signals: ['open'] })) as { open: { value: number } }
  return open.value
}
/** Takes all of it; `taken` counts, `end` is the error that ends it. */
function taking(stream: AsyncIterable<unknown>) {
  const seen = { taken: 0, end: undefined as LabError | undefined, over: Promise.resolve() }
  seen.over = (async () => {
    try {
      for await (const _ of stream) seen.taken++
    } catch (thrown) {
      assert.instance(thrown, LabError)
      seen.end = thrown as LabError
    }
  })()
  return seen
}
const goesOn = async (stream: ReturnType<typeof taking>) => {
  const before = stream.taken
  await until('it goes on', async () => stream.taken > before + 5)
}

test('streams, calls and batches of others end with why, and their methods too; following and what is theirs goes on', async () => {
  const [ada, bob, cy] = [await enter('ada'), await enter('bob'), await enter('cy', ['read', 'use', 'unlock'])]
  const adas = taking(ada.stream('sweep/ticks'))
  const bobs = taking(bob.stream('sweep/ticks', {}, { lingerMs: 10_000 }))
  const followed = taking(bob.stream('sweep/signals.follow', { signals: ['open'], rateHz: 50 }))
  const elsewhere = taking(bob.stream('other/ticks'))
  const waits = [bob.call('sweep/wait'), cy.call('sweep/wait')].map(rejection)
  const batch = bob.batch([['sweep/signals.read', { signals: ['open'] }], ['sweep/wait'], ['sweep/wait']])
  await until('all are under way', async () => (await openOf()) === 5)
  await goesOn(bobs)
  await ada.call('node/lock', { services: ['sweep'], reason: 'secret words' })
  await bobs.over
  const [bobWaits, cyWaits] = await Promise.all(waits)
  for (const error of [bobs.end, bobWaits]) {
    assert.is(error?.code, 'service-locked')
    assert.match(error?.message ?? '', /^service sweep is locked by somebody else since [^ ]*Z$/)
    assert.equal(Object.keys(error?.details ?? {}), ['service', 'since'])
  }
  assert.match(cyWaits?.message ?? '', /^service sweep is locked by ada since [^ ]*Z \(secret words\)$/)
  const outcomes = (await batch).map((one) => ('error' in one ? one.error.code : 'done'))
  assert.equal(outcomes, ['done', 'service-locked', 'service-locked'])
  // Nothing of them goes on in the daemon; what is ada's does.
  await until('they have ended', async () => (await openOf()) === 1)
  await Promise.all([adas, followed, elsewhere].map(goesOn))
  assert.is(node.edge.services.counts.lingering, 0)
  assert.is((await rejection(bob.stream('sweep/ticks').next())).code, 'service-locked')
  await ada.call('node/unlock', { services: ['sweep'] })
  await goesOn(taking(bob.stream('sweep/ticks')))
})

test('a stream that waits for its owner to come back is gone when somebody locks its service meanwhile', async () => {
  const [ada, bob] = [await enter('ada'), await enter('bob')]
  const stream = bob.stream('sweep/ticks', {}, { lingerMs: 60_000 })
  const read = bob.stream('sweep/signals.follow', { signals: ['open'], rateHz: 50 }, { lingerMs: 60_000 })
  for (const one of [stream, read]) for (let n = 0; n < 3; n++) await one.next()
  const places = [stream.place, read.place]
  await bob.close('its cable was pulled')
  await until('both linger', async () => node.edge.services.counts.lingering === 2)
  await ada.call('node/lock', { services: ['sweep'] })
  assert.is(node.edge.services.counts.lingering, 1)
  await until('it has ended', async () => (await openOf()) === 0)
  const back = await enter('bob')
  const [gone, kept] = places.map((place) => {
    if (place === undefined) throw new Error('it does not linger')
    return back.resume(place)
  })
  assert.is((await rejection(gone?.next() ?? Promise.resolve())).code, 'stream-gone')
  assert.not((await kept?.next())?.done)
  await ada.call('node/unlock', { services: ['sweep'] })
})

test('a stream that was gone on with after a drop ends with why, and reading that was goes on', async () => {
  const [ada, bob] = [await enter('ada'), await enter('bob')]
  const stream = bob.stream('sweep/ticks', {}, { lingerMs: 60_000 })
  const read = bob.stream('sweep/signals.follow', { signals: ['open'], rateHz: 50 }, { lingerMs: 60_000 })
  for (const one of [stream, read]) for (let n = 0; n < 3; n++) await one.next()
  const places = [stream.place, read.place]
  await bob.close('its cable was pulled')
  const back = await enter('bob')
  const [ticks, readings] = places.map((place) => {
    if (place === undefined) throw new Error('it does not linger')
    return taking(back.resume(place))
  })
  if (ticks === undefined || readings === undefined) throw new Error('there are two')
  await Promise.all([ticks, readings].map(goesOn))
  const under = node.edge.services.counts.calls
  await ada.call('node/lock', { services: ['sweep'] })
  await ticks.over
  assert.is(ticks.end?.code, 'service-locked')
  await until('it has ended', async () => (await openOf()) === 0)
  assert.is(node.edge.services.counts.calls, under - 1)
  await goesOn(readings)
  await ada.call('node/unlock', { services: ['sweep'] })
})

test.run()
