import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import type { InterlockEntry } from '@fernlab/shared/contracts/interlocks'
import type { BenchStatus, NodeHealth } from '@fernlab/shared/contracts/node-status'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { nodeFile, protocolOf, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('interlocks of a node, over a real broker', { timeoutMs: 20_000 })
let hub: ScriptedHub
let node: TestNode

/** The current follows the voltage over 100 Ω. */
const tooMuch = { bench: 'bench-1', when: 'psu.current > 0.05', title: 'Too much current', everyMs: 10 }

const start = async (interlocks: Record<string, Partial<InterlockEntry>>) => {
  hub = await startScriptedHub('n1')
  node = await startTestNode(hub, { config: { object: { ...nodeFile(), interlocks } }, healthEveryMs: 100 })
  await hub.until('the bench is free', () => state() === 'free' && node.edge.syncState === 'synced')
}
test.after.each(async () => {
  await node.remove()
  await hub.close()
})

const bench = () => {
  const found = node.edge.benches.get('bench-1')
  if (found === undefined) throw new Error('there is no bench')
  return found
}
const state = () => bench().status.state
const supply = () => node.instrument()
const published = (what: string) => JSON.parse(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/${what}`) ?? '{}')
const problems = () => (published('health') as Partial<NodeHealth>).problems?.map(({ code }) => code) ?? []
const stopOf = (document: NodeDocument | undefined): StopDoc => {
  if (document?.name !== 'stop') throw new Error('there is no stop document')
  return document.doc
}
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return error instanceof LabError ? error.code : String((error as { code?: unknown }).code ?? error)
  }
  return 'none'
}

/** Starts a run that sets the voltage, and resolves with its stop document. */
const drive = async (volts: number, more = '  - wait: 60') => {
  const assignment = assignmentOf(protocolOf(`  - set: {psu.output: true, psu.voltage: ${volts}}\n${more}`))
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  return stopOf(hub.stopped(assignment.runId))
}

test('a condition that holds ends the run, makes the bench safe and keeps everybody from it until it is reset', async () => {
  await start({ 'too-much': tooMuch })
  const stop = await drive(6)
  assert.equal([stop.state, stop.error?.code], ['failed', 'interlock-tripped'])
  assert.is(
    stop.reason,
    'interlock too-much of bench bench-1 has tripped: psu.current > 0.05, with psu.current = 0.06 A',
  )
  assert.match(stop.error?.studentMessage ?? '', /Too much current/)
  assert.equal(stop.safeState, { reached: true })
  assert.is(supply().values.get('output'), false)

  await hub.until('it is told', () => (published('benches/bench-1') as BenchStatus).state === 'fault')
  await hub.until('it is over', () => (published('benches/bench-1') as BenchStatus).interlocks?.[0]?.holds === false)
  const [told] = (published('benches/bench-1') as BenchStatus).interlocks ?? []
  assert.equal([told?.state, told?.latched, told?.when], ['tripped', true, 'psu.current > 0.05'])
  assert.match(bench().status.reason ?? '', /look at the bench, then reset it$/)

  const take = { bench: 'bench-1', holder: 'ada', fence: 1e6, ttlMs: 10_000 }
  assert.is(await codeOf(hub.call('lease.take', take)), 'bench-fault')
  const next = assignmentOf(protocolOf(`  - set: {psu.voltage: 2}`))
  await hub.assign(next)
  await hub.until('it was refused', () => hub.refused.some(({ runId }) => runId === next.runId))
  assert.is(hub.refused[0]?.error.code, 'bench-fault')

  const { interlocks } = (await hub.call('bench.reset-interlock', { bench: 'bench-1' })) as {
    interlocks: { state: string }[]
  }
  assert.is(interlocks[0]?.state, 'clear')
  await hub.until('the bench is free', () => state() === 'free')
  assert.is((await drive(4, '  - read: {signals: [psu.current]}')).state, 'succeeded')
})

test('a reading that somebody else asked for trips it before they see it', async () => {
  await start({ 'too-much': { ...tooMuch, everyMs: 60_000 } })
  const stop = await drive(6, '  - read: {signals: [psu.current]}\n  - set: {psu.voltage: 7}')
  assert.is(stop.error?.code, 'interlock-tripped')
  assert.equal(supply().sets('voltage').slice(-1), [0])
  assert.not.ok(supply().sets('voltage').includes(7))
})

test('every sample of a block counts, also between the last ones', async () => {
  hub = await startScriptedHub('n1')
  node = await startTestNode(hub, {
    config: { object: { ...nodeFile(), interlocks: { 'too-much': { ...tooMuch, everyMs: 60_000 } } } },
    prepare: (instrument) => {
      instrument.stream = async function* () {
        const time = Float64Array.from([1, 2, 3].map((i) => Date.now() / 1000 + i / 1000))
        yield { time, columns: { current: Float64Array.from([0.01, 0.06, 0.01]) } }
        await new Promise(() => {})
      }
    },
  })
  await hub.until('the bench is free', () => state() === 'free' && node.edge.syncState === 'synced')
  const stop = await drive(1, '  - record: {signals: [psu.current], rate: 1000, stream: trace, for: 1 min}')
  assert.is(stop.error?.code, 'interlock-tripped')
})

test('a reset is refused while the condition holds, and changes nothing', async () => {
  await start({ 'too-much': tooMuch })
  supply().values.set('voltage', 6)
  supply().before = ({ op, what }) => {
    if (op === 'set' && what === 'voltage') throw new Error('the knob is stuck')
  }
  await hub.until('it tripped', () => state() === 'fault')
  assert.is(await codeOf(hub.call('bench.reset-interlock', { bench: 'bench-1' })), 'interlock-holds')
  assert.is(await codeOf(hub.call('bench.reset-interlock', { bench: 'bench-1', interlock: 'no' })), 'interlock-unknown')
  assert.is(state(), 'fault')
  await hub.until('both are told', () =>
    ['interlock-tripped', 'safe-state-not-reached'].every((code) => problems().includes(code)),
  )
  supply().before = undefined
  await hub.until('it is safe, and tripped still', () => bench().unsafe === undefined && state() === 'fault')
  await hub.until('the one is told', () => `${problems()}` === 'interlock-tripped')
})

test('one that does not latch can not be reset while it holds, and says so', async () => {
  await start({ 'too-much': { ...tooMuch, latch: false } })
  supply().values.set('voltage', 6)
  supply().before = ({ op, what }) => {
    if (op === 'set' && what === 'voltage') throw new Error('the knob is stuck')
  }
  await hub.until('it tripped', () => state() === 'fault')
  assert.is(await codeOf(hub.call('bench.reset-interlock', { bench: 'bench-1' })), 'interlock-holds')
  supply().before = undefined
  await hub.until('it is over', () => state() === 'free')
  assert.is(await codeOf(hub.call('bench.reset-interlock', { bench: 'bench-1' })), 'none')
})

test('who drives the bench by hand is told, and its lease is over', async () => {
  await start({ 'too-much': tooMuch })
  const take = { bench: 'bench-1', holder: 'ada', fence: 1e6, ttlMs: 10_000 }
  const { lease } = (await hub.call('lease.take', take)) as { lease: string }
  const set = (volts: number) => hub.call('bench.exchange', { bench: 'bench-1', lease, set: { 'psu.voltage': volts } })
  await set(6)
  await hub.until('it tripped', () => state() === 'fault')
  assert.is(await codeOf(set(1)), 'interlock-tripped')
  assert.is(await codeOf(hub.call('lease.release', { bench: 'bench-1', lease })), 'lease-invalid')
  assert.equal(supply().sets('voltage').slice(-1), [0])
})

test('one that does not latch is over by itself', async () => {
  await start({ 'too-much': { ...tooMuch, latch: false } })
  assert.is((await drive(6)).error?.code, 'interlock-tripped')
  await hub.until('the bench is free', () => state() === 'free')
  assert.is((await drive(4, '  - read: {signals: [psu.current]}')).state, 'succeeded')
})

test('what an interlock wants besides the safe state is set while it is tripped, and taken back', async () => {
  await start({ 'too-much': { ...tooMuch, safeState: { 'psu.voltage': 3 } } })
  await drive(6)
  await hub.until('it is set', () => supply().sets('voltage').at(-1) === 3)
  await hub.until('it is over', () => bench().status.interlocks?.[0]?.holds === false)
  await hub.call('bench.reset-interlock', { bench: 'bench-1' })
  await hub.until('the bench is free', () => state() === 'free')
  assert.is(supply().sets('voltage').at(-1), 0)
})

test('a sensor that can not be read any more trips while somebody has the bench', async () => {
  await start({ 'too-much': { ...tooMuch, unreadMs: 200 } })
  supply().before = ({ op, what }) => {
    if (op === 'read' && what === 'current') throw new Error('the cable is broken')
  }
  const stop = await drive(1)
  assert.is(stop.error?.code, 'interlock-tripped')
  assert.match(stop.reason, /psu\.current was not read for 200 ms \(.*the cable is broken\)/)
  assert.is(await codeOf(hub.call('bench.reset-interlock', { bench: 'bench-1' })), 'interlock-holds')
  supply().before = undefined
  await hub.until('it reads again', () => bench().status.interlocks?.[0]?.holds === false)
  assert.is(state(), 'fault')
  await hub.call('bench.reset-interlock', { bench: 'bench-1' })
  await hub.until('the bench is free', () => state() === 'free')
})

test('a latch outlives the node, also one that comes up without its hub', async () => {
  await start({ 'too-much': tooMuch })
  await drive(6)
  await hub.away()
  node = await node.restart()
  const until = async (holds: () => boolean) => {
    for (let i = 0; !holds(); i++) {
      if (i > 1500) throw new Error(`the bench is ${JSON.stringify(bench().status)}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  await until(() => bench().status.interlocks?.[0]?.holds === false)
  assert.is(state(), 'fault')
  assert.match(bench().status.reason ?? '', /psu\.current = 0\.06 A; that is over/)
  await hub.back()
  await hub.until('the hub is back', () => node.edge.syncState === 'synced')
  await hub.call('bench.reset-interlock', { bench: 'bench-1', interlock: 'too-much' })
  node = await node.restart()
  await until(() => state() === 'free')
})

test.run()
