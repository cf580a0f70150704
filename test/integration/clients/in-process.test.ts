/** A program in the process of a node: it goes there without a socket, as whoever owns the machine. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@fernlab/shared/clients/typescript/node'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { resultOf } from '@fernlab/shared/rpc/contract/service-batch'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { SITE } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('a client in the process of its node', { timeoutMs: 30_000 })
let node: TestNode
const psu = 'bench-1.psu'

test.before.each(async () => {
  node = await startTestNode(undefined, { config: { object: nodeFileAlone(2) } })
  // Nothing listens: neither at a port nor at a socket of the machine.
  await rm(join(node.dataFolder, 'services.sock'))
  await using lab = here()
  const areFree = async () => (await lab.directory.find({ state: 'up' })).length === 2
  await until(areFree, 'the benches are free', 20_000)
})
test.after.each(() => node.remove())

const here = () => connect({ here: [node.edge.services.door] })

test('finds, locks, sets, reads, follows, and gives back, without a socket', async () => {
  await using lab = here()
  const supply = await lab.service(`fernlab://${SITE}/n1/${psu}`)
  await using _lock = await lab.lock([psu], { reason: 'a look' })
  await supply.set('voltage', 2)
  assert.equal([supply.way?.kind, supply.way?.address], ['in-process', `in-process:${SITE}/n1`])
  const [set, read] = await supply.batch([
    ['signals.set', { signal: 'voltage', value: 1.5 }],
    ['signals.read', { signals: ['voltage'] }],
  ])
  assert.equal([resultOf(set), resultOf(read).voltage?.value], [null, 1.5])
  for await (const reading of supply.follow(['voltage'], { rateHz: 100 })) {
    assert.is((reading as { voltage: { value: number } }).voltage.value, 1.5)
    break
  }
  const [entry] = await lab.directory.find({ name: psu })
  assert.equal([entry?.state, entry?.lockedBy?.reason], ['locked', 'a look'])
  assert.is((await rejection(lab.service('fernlab://elsewhere/n1/bench-1.psu'))).code, 'site-foreign')
})

test('what a program holds there is free when the program has let go of its link', async () => {
  const lab = connect({ here: [node.edge.services.door], graceS: 0 })
  const supply = await lab.service(psu)
  await lab.lock([psu])
  await supply.set('voltage', 2)
  await lab.close()
  await until(() => node.edge.services.counts.links === 0, 'its link is gone')
  await using other = here()
  await until(async () => (await other.directory.find({ name: psu, state: 'up' })).length === 1, 'it is free')
  assert.is(node.instrument().values.get('voltage'), 0)
})

test('a node that has stopped is no way any more, and says so', async () => {
  await using lab = here()
  const supply = await lab.service(psu)
  await supply.read(['voltage'])
  await node.close()
  const error: LabError = await rejection(supply.read(['voltage'], { timeoutMs: 50 }))
  assert.is(error.code, 'node-unreachable')
  assert.match(error.message, new RegExp(`in-process:${SITE}/n1: node ${SITE}/n1 of this process has stopped`))
})

test.run()
