/** Clocks of programs and of nodes that are ten minutes wrong. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@fernlab/shared/clients/typescript/node'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { startDiodeLab } from '../../support/clients/diode-lab.ts'
import { nodeFileAlone, startTestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('clocks that are wrong', { timeoutMs: 120_000 })
const run = promisify(execFile)
const tenMinutes = 600_000
const wrongBy = (ms: number) => ({ ...systemClock, now: () => Date.now() + ms })
const program = join(root, 'test/support/clients/wrong-clock.ts')

for (const nodeMs of [tenMinutes, -tenMinutes]) {
  test(`a node's, ${nodeMs / 1000} s: tokens, holds, streams and deadlines are as with right ones, for programs with wrong ones too`, async ({
    signal,
  }) => {
    const lab = await startDiodeLab({ nodeClock: wrongBy(nodeMs) })
    try {
      for (const programMs of [-tenMinutes, 0, tenMinutes]) {
        const env = { FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token, WRONG_MS: `${programMs}` }
        const args = ['--import', 'tsx', '--conditions=source', program]
        const { stdout } = await run(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, signal })
        const { now, lateMs, ms, ...said } = JSON.parse(stdout)
        assert.ok(Math.abs(now - Date.now() - programMs) < 60_000, 'its time is wrong')
        const well = { voltage: 1.5, followed: 1.5, late: 'deadline-exceeded', isLost: false, way: 'websocket' }
        assert.equal(said, well)
        assert.ok(lateMs > 290 && lateMs < 2900, `it was late after ${lateMs} ms`)
        await lab.untilUp()
      }
    } finally {
      await lab.close()
    }
  })
}

test('where a clock keeps a token from its node, the error says so, with both times and whose they are', async () => {
  let setMs = 0
  const clock = { ...systemClock, now: () => Date.now() + setMs }
  const object = { ...nodeFileAlone(), services: { listen: { host: '127.0.0.1', port: 0 } } }
  const node = await startTestNode(undefined, { config: { object }, clock })
  try {
    const owner = await onMachine(node.dataFolder)
    const asked = { person: 'ada', services: ['*'], rights: ['read'], lifetimeS: 300 }
    const { token } = (await owner.call('node/token', asked)) as { token: string }
    await owner.close()
    const find = async () => {
      await using lab = connect({ node: node.edge.services.addresses[0] ?? '', token })
      return await lab.directory.find()
    }
    assert.is((await find()).length, 1)
    setMs = -tenMinutes
    const early = await rejection(find())
    assert.is(early.code, 'token-not-yet')
    const times = /from \d{4}-[^ ]*Z, and it is \d{4}-[^ ]*Z by this node's clock: one of the clocks is wrong/
    assert.match(early.message, times)
    setMs = tenMinutes
    const over = await rejection(find())
    assert.is(over.code, 'token-expired')
    assert.match(over.message, /was good until \d{4}-[^ ]*Z, and it is \d{4}-[^ ]*Z by this node's clock/)
    setMs = 0
    assert.is((await find()).length, 1)
  } finally {
    await node.remove()
  }
})

test.run()
