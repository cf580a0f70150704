/** What programs and the hub's directory see of a daemon that is killed, or that hangs, and how soon. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { timesBusy } from '../../support/busy.ts'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a daemon that is lost', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })

/** Of one that is killed: until it is out of the directory, and until it is back. */
const LOST_MS = 5000
/** Of one that does nothing any more, until the directory says so. */
const HUNG_MS = 10_000

let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab({ tallies: ['tally'] })
})
test.after(() => lab?.close())

const entryOf = async (name: string): Promise<DirectoryEntry | undefined> => {
  const headers = { authorization: `Bearer ${lab.hub.token}` }
  const answer = await fetch(`${lab.hub.http}/api/v1/directory?name=${name}`, { headers })
  return ((await answer.json()) as { items: DirectoryEntry[] }).items[0]
}

/** How long it took until the hub's directory says that. */
async function untilSaid(name: string, state: DirectoryEntry['state'], from: number): Promise<number> {
  while ((await entryOf(name))?.state !== state) await systemClock.sleep(20)
  return performance.now() - from
}

/** Between calls, so that what is looked at has its part of the machine. */
const BETWEEN_MS = 5

/** Goes on until it is told to end: how many were answered; what fails rejects. */
function again(call: () => Promise<unknown> | undefined): () => Promise<number> {
  let isOver = false
  const all = (async () => {
    for (let answered = 0; ; answered++) {
      if (isOver) return answered
      await call()
      await systemClock.sleep(BETWEEN_MS)
    }
  })()
  all.catch(() => {}) // it is told when it is asked for
  return () => {
    isOver = true
    return all
  }
}

/** The longest time between two items of a stream, in ms. */
function longestGap(items: AsyncIterable<unknown>): () => number {
  let last = performance.now()
  let longest = 0
  void (async () => {
    for await (const _ of items) {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
  })().catch(() => {
    longest = Number.POSITIVE_INFINITY
  })
  return () => Math.max(longest, performance.now() - last)
}

test('killed, it is back within 5 s; proxies by name go on, and those of others notice nothing', async () => {
  await using client = lab.client()
  const counts = await client.service('count')
  const results = await client.service('results')
  const tally = await client.service('tally')
  const psu = await client.service('diode-1.psu')
  const pidOf = async () => Number(await counts.do.process?.({}))
  const before = await pidOf()
  const others = [
    again(async () => await results.do.list?.({ path: '' })),
    again(async () => await tally.do.process?.({})),
    again(() => psu.read(['voltage'])),
  ]
  const gaps = {
    results: longestGap(results.follow(['used_bytes'], { rateHz: 20 })),
    tally: longestGap(tally.follow(['clock_s'], { rateHz: 20 })),
    psu: longestGap(psu.follow(['voltage'], { rateHz: 20 })),
  }
  const killedAt = performance.now()
  process.kill(before, 'SIGKILL')
  let after = before
  while (after === before) {
    after = await pidOf().catch((error: LabError) => {
      assert.ok(['service-gone', 'call-uncertain'].includes(error.code), error.message)
      return before
    })
    await systemClock.sleep(BETWEEN_MS)
  }
  const backMs = performance.now() - killedAt
  await untilSaid('count', 'up', killedAt)
  for (const answered of await Promise.all(others.map((end) => end()))) assert.ok(answered > 0)
  assert.ok(backMs <= LOST_MS, `back after ${backMs} ms`)
  // What waits for the daemon stands for as long as that is away, which takes longer where the machine is busy.
  const mostMs = Math.max(1000, backMs / 2)
  for (const [name, gap] of Object.entries(gaps))
    assert.ok(gap() < mostMs, `the stream of ${name} stood for ${gap()} ms of ${backMs} ms`)
})

test('killed where it can not start again, it is out of the directory within 5 s, and back once it can', async () => {
  await using client = lab.client()
  const counts = await client.service('count')
  const file = join(lab.folder, 'count.py')
  const whole = readFileSync(file, 'utf8')
  const pid = Number(await counts.do.process?.({}))
  writeFileSync(file, 'raise RuntimeError("not now")\n')
  const killedAt = performance.now()
  process.kill(pid, 'SIGKILL')
  try {
    while ((await entryOf('count'))?.state === 'up') await systemClock.sleep(20)
    const lostMs = performance.now() - killedAt
    assert.ok(lostMs <= LOST_MS, `gone after ${lostMs} ms`)
  } finally {
    writeFileSync(file, whole)
  }
  // Its process is up without it: what is mended is looked at with the next start.
  const owner = await onMachine(join(lab.folder, 'data'))
  for (const verb of ['down', 'up']) await owner.call(`node.daemons/${verb}`, { daemons: ['counts'] })
  await owner.close()
  await untilSaid('count', 'up', killedAt)
  assert.is.not(Number(await counts.do.process?.({})), pid)
})

test('hung, it is unhealthy within 10 s, calls say so at once, and it is back under its name when it goes on', async () => {
  await using client = lab.client()
  const counts = await client.service('count')
  const pid = Number(await counts.do.process?.({}))
  const seen = (await entryOf('count'))?.id
  const stoppedAt = performance.now()
  process.kill(pid, 'SIGSTOP')
  try {
    const hungMs = await untilSaid('count', 'unhealthy', stoppedAt)
    assert.ok(hungMs <= HUNG_MS, `unhealthy after ${hungMs} ms`)
    assert.equal(await client.directory.find({ name: 'count', state: 'up' }), [])
    const asked = performance.now()
    assert.is((await rejection(counts.do.process?.({}) as Promise<unknown>)).code, 'service-unhealthy')
    assert.ok(performance.now() - asked < 1000 * timesBusy(), 'nobody waits for one that hangs')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await untilSaid('count', 'up', stoppedAt)
  assert.is((await entryOf('count'))?.id, seen)
  assert.is(Number(await counts.do.process?.({})), pid)
})

test.run()
