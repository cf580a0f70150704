/**
 * Many runs one after another while hub, node and the link between them are killed at random moments; a short round each
 * time, several minutes with `npm run test:long`. The FERNLAB_SEED that it prints
 * repeats its order.
 */
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { long } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const seconds = long ? 8 * 60 : 15
const test = suite('a long life', { timeoutMs: (seconds + 180) * 1000, fileTimeoutMs: (seconds + 300) * 1000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** Numbers from 0 to 1 that are the same for the same seed. */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test(`every run of ${seconds} s ends once and soundly, whatever is killed meanwhile`, async () => {
  const seed = process.env.FERNLAB_SEED === 'random' ? Date.now() % 2 ** 32 : Number(process.env.FERNLAB_SEED ?? 1)
  process.stdout.write(`FERNLAB_SEED=${seed}\n`)
  const chance = chances(seed)
  const { hub, edge, client, proxy } = lab
  const ids: string[] = []
  const until = performance.now() + seconds * 1000
  hub.watch()
  edge.watch()
  for (let round = 0; performance.now() < until; round++) {
    for (let i = 0; i < 3; i++) {
      const protocol = chance() < 0.5 ? 'steps-safe' : 'steps-never'
      ids.push(await client.submit({ lab: labId, protocol, parameters: { points: 3, pause: 0.02 } }))
    }
    await pause(chance() * 1500)
    const victim = ['hub', 'node', 'link', 'none'][Math.floor(chance() * 4)]
    if (victim === 'hub') await restart(hub)
    if (victim === 'node') await restart(edge)
    if (victim === 'link') proxy.dropAll()
    // Not ever more of them than the bench can do.
    if (round % 4 === 3) for (const id of ids.slice(-12)) await client.finished(id)
  }
  await client.online(node)
  const records = await lab.check(ids)
  hub.unwatch()
  edge.unwatch()
  assert.ok(records.some(({ state }) => state === 'succeeded'))
  process.stdout.write(`${ids.length} runs, ended by ${hub.ends.length + edge.ends.length} kills\n`)
})

async function restart(victim: FaultLab['hub']): Promise<void> {
  victim.signal('SIGKILL')
  await victim.ended()
  await victim.settled()
}

test.run()
