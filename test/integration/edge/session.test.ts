import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM, commandColumns } from '@fernlab/shared/contracts/session-columns'
import type { Assignment, SessionCommand } from '@fernlab/shared/contracts/sync'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Protocol, Step } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { protocolOf, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a live session on a node, over a real broker', { timeoutMs: 20_000 })
let hub: ScriptedHub
let node: TestNode

test.before.each(async () => {
  hub = await startScriptedHub('n1')
  node = await startTestNode(hub)
  await ready()
})
test.after.each(async () => {
  await node.remove()
  await hub.close()
})

const ready = () =>
  hub.until(
    'the bench is free',
    () => node.edge.benches.get('bench-1')?.status.state === 'free' && node.edge.syncState === 'synced',
  )

interface Times {
  readonly seconds?: number
  readonly idleS?: number
  readonly silenceS?: number
  readonly prepare?: string
  readonly cleanUp?: string
}

/** As a hub composes it: prepare, a record around the live step, clean-up. */
const sessionOf = ({ seconds = 600, idleS = 600, silenceS = 600, prepare, cleanUp }: Times = {}): Assignment => {
  const before = protocolOf(prepare ?? '  - set: {psu.voltage: 1}')
  const live: Step = { kind: 'live', seconds, idleS, silenceS }
  const record: Step = { kind: 'record', signals: ['psu.voltage'], rate: 20, stream: 'readings', steps: [live] }
  const protocol: Protocol = {
    ...before,
    steps: [...before.steps, record],
    ...(cleanUp === undefined ? {} : { cleanUp: protocolOf(cleanUp).steps }),
  }
  return assignmentOf(protocol, { limits: { 'psu.voltage': { low: 0, high: 5 } }, maxSeconds: 3600 })
}

const stageOf = ({ runId }: Assignment) => hub.live.filter((run) => run.runId === runId).at(-1)?.session?.stage
const begin = async (assignment: Assignment) => {
  await hub.assign(assignment)
  await hub.until('it is active', () => stageOf(assignment) === 'active')
}
const command = ({ runId, attempt }: Assignment, what: SessionCommand) =>
  hub.call('session.command', { runId, attempt, by: 'ada', command: what }) as Promise<{
    readings: Record<string, { value: unknown; unit: string; time: number }>
  }>
const refusedWith = async (code: string, work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: { code?: string }) => thrown,
  )
  assert.is(error?.code, code)
}
const stopOf = async ({ runId }: Assignment): Promise<StopDoc> => {
  await hub.until('the session stopped', () => hub.stopped(runId) !== undefined)
  const document = hub.stopped(runId) as NodeDocument
  if (document.name !== 'stop') throw new Error('there is no stop document')
  return document.doc
}
const commandsOf = ({ runId }: Assignment): string[][] =>
  hub.documents(runId).flatMap((document) => {
    if (document.name !== 'event_page' || document.doc.stream !== COMMANDS_STREAM) return []
    const { columns, count } = document.doc
    return Array.from({ length: count }, (_, row) => commandColumns.map((key) => String(columns[key]?.[row])))
  })

test('what is read of a calibrated signal is told as calibrated, without what the instrument said', async () => {
  const session = sessionOf()
  await begin(session)
  await command(session, { what: 'set', values: { 'psu.voltage': 3, 'psu.output': true } })
  const handle = node.edge.instruments.get('psu-1')
  const curve = { form: 'linear', gain: 2, offset: 0 } as const
  handle?.calibrator.install({ current: { curve, by: 'ana', at: '2026-01-01T00:00:00Z' } })
  const { readings } = await command(session, { what: 'read', signals: ['psu.current'] })
  handle?.calibrator.install({})
  const { time = 0, ...told } = readings['psu.current'] ?? { value: undefined }
  assert.ok(time > 0)
  assert.equal(told, { value: 0.06, unit: 'A' })
  await hub.call('session.finish', { runId: session.runId, attempt: 1, by: 'ada' })
  await stopOf(session)
})

test('commands reach the bench within its limits, are recorded with who, and end with the session', async () => {
  const session = sessionOf()
  await begin(session)
  await command(session, { what: 'set', values: { 'psu.voltage': 3, 'psu.output': true } })
  assert.is(node.instrument().values.get('voltage'), 3)
  await refusedWith('value-out-of-limits', command(session, { what: 'set', values: { 'psu.voltage': 6 } }))
  await refusedWith('signal-unknown', command(session, { what: 'set', values: { 'psu.volts': 1 } }))
  const { readings } = await command(session, { what: 'read', signals: ['psu.current'] })
  assert.equal([readings['psu.current']?.value, readings['psu.current']?.unit], [0.03, 'A'])
  await command(session, { what: 'call', action: 'psu.pulse', arguments: { length: 0.5 } })
  await hub.call('session.finish', { runId: session.runId, attempt: 1, by: 'ada' })
  const stop = await stopOf(session)
  assert.equal(
    [stop.state, stop.reason, stop.safeState, stop.cleanUp],
    ['succeeded', 'it was finished', { reached: true }, undefined],
  )
  assert.equal(
    commandsOf(session).map(([by, what, target, value]) => [by, what, target, value].join(' ')),
    [
      ' begin  600',
      'ada set psu.voltage 3',
      'ada set psu.output true',
      'ada set psu.voltage 6',
      'ada set psu.volts 1',
      'ada read psu.current 0.03',
      'ada call psu.pulse {"length":0.5}',
      'ada finish  null',
      ' end  "it was finished"',
    ],
  )
  assert.match(String(commandsOf(session)[3]?.[4]), /limit of 5/)
  assert.ok((stop.rows.readings ?? 0) > 0)
  assert.is(node.instrument().values.get('output'), false)
  await refusedWith('session-not-active', command(session, { what: 'set', values: { 'psu.voltage': 1 } }))
  await refusedWith('session-not-active', hub.call('session.finish', { runId: session.runId, attempt: 1, by: 'ada' }))
  assert.is(node.instrument().values.get('voltage'), 0)
})

test('what is read and set is told as it happens', async () => {
  const session = sessionOf()
  await begin(session)
  await command(session, { what: 'set', values: { 'psu.output': true } })
  const told = () => hub.live.flatMap((run) => run.session?.samples['psu.output']?.values ?? [])
  await hub.until('the set is told', () => told().includes(true))
  const times = () => hub.live.flatMap((run) => run.session?.samples['psu.voltage']?.time ?? [])
  await hub.until('ten readings came', () => times().length >= 10)
  assert.equal(
    times(),
    [...times()].sort((a, b) => a - b),
    'in order',
  )
})

test('its time ends it, and may be extended before that', async () => {
  const session = sessionOf({ seconds: 3 })
  await begin(session)
  const { runId } = session
  const extended = hub.call('session.extend', { runId, attempt: 1, by: 'ada', seconds: 6 })
  const { secondsLeft } = (await extended) as { secondsLeft: number }
  assert.ok(secondsLeft > 3 && secondsLeft <= 6)
  const stop = await stopOf(session)
  assert.is(stop.reason, 'its time was over')
  const at = (what: string) =>
    hub.documents(runId).flatMap((document) => {
      if (document.name !== 'event_page' || document.doc.stream !== COMMANDS_STREAM) return []
      const row = (document.doc.columns.what as string[]).indexOf(what)
      return row < 0 ? [] : [document.doc.time[row] ?? 0]
    })[0] ?? 0
  assert.ok(at('end') - at('begin') >= 5.95, 'it lasted as long as it was extended to')
  await refusedWith('session-not-active', hub.call('session.extend', { runId, attempt: 1, by: 'ada', seconds: 99 }))
})

test('how long it is in all is told as it is now, also once it was made longer', async () => {
  const session = sessionOf({ seconds: 600 })
  await begin(session)
  const { runId } = session
  const told = () => hub.live.filter((run) => run.runId === runId && run.session?.stage === 'active')
  assert.equal([...new Set(told().map((run) => run.session?.seconds))], [600])
  await hub.call('session.extend', { runId, attempt: 1, by: 'ada', seconds: 900 })
  const before = told().length
  await hub.until('it is told again', () => told().length >= before + 2)
  const newest = told().at(-1)
  assert.is(newest?.session?.seconds, 900)
  assert.ok((newest?.secondsLeft ?? 0) > 600 && (newest?.secondsLeft ?? 0) <= 900, 'what is left is the rest of that')
  await hub.call('session.finish', { runId, attempt: 1, by: 'ada' })
  await stopOf(session)
})

test('nobody who does anything, or a hub that is silent, ends it; then it is cleaned up and safe without the hub', async () => {
  const idle = sessionOf({ idleS: 0.3 })
  await hub.assign(idle)
  assert.match((await stopOf(idle)).reason, /nothing was done for 0\.3 s/)
  const silent = sessionOf({ silenceS: 1, cleanUp: '  - set: {psu.voltage: 0.5}' })
  await begin(silent)
  await hub.call('session.renew', { sessions: [{ runId: silent.runId, attempt: 1 }] })
  await hub.away()
  await hub.until('the bench is free again', () => node.edge.benches.get('bench-1')?.status.state === 'free')
  assert.equal(node.instrument().sets('voltage').slice(-2), [0.5, 0])
  await hub.back()
  const stop = await stopOf(silent)
  assert.equal([stop.state, stop.reason], ['interrupted', 'the hub was silent for 1 s'])
  assert.equal(stop.cleanUp, { done: true, tries: 1 })
})

test('cancelled while it is prepared: cleaned up, and never active', async () => {
  const session = sessionOf({
    prepare: '  - set: {psu.voltage: 2}\n  - wait: 3600',
    cleanUp: '  - set: {psu.voltage: 0.25}',
  })
  await hub.assign(session)
  await hub.until('it is prepared', () => node.instrument().values.get('voltage') === 2)
  await refusedWith('session-not-active', command(session, { what: 'set', values: { 'psu.voltage': 1 } }))
  await hub.cancel(session.runId, 1, 'the student left')
  const stop = await stopOf(session)
  assert.equal([stop.state, stop.reason, stop.cleanUp?.done], ['cancelled', 'the student left', true])
  assert.equal(node.instrument().sets('voltage').slice(-2), [0.25, 0])
  assert.equal(commandsOf(session), [])
})

test('a clean-up is repeated until the bench says that it is done, and the bench is nobody’s until then', async () => {
  const session = sessionOf({
    cleanUp: `  - set: {psu.output: true}
  - until:
      condition: psu.voltage < 0.1
      within: 10
      every: 0.02
      steps: [{read: {signals: [psu.voltage], stream: clean}}]`,
  })
  let looks = 0
  // Like a tank that drains: what is read gets less each time that the clean-up looks.
  const drain = () => node.instrument().values.set('voltage', Math.max(0, 1 - 0.2 * ++looks))
  const held: unknown[] = []
  await begin(session)
  node.instrument().before = ({ op, what }) => {
    if (op !== 'read' || what !== 'voltage' || stageOf(session) !== 'finishing') return
    drain()
    held.push(node.edge.benches.get('bench-1')?.status.state)
  }
  await hub.call('session.finish', { runId: session.runId, attempt: 1, by: 'ada' })
  const stop = await stopOf(session)
  assert.equal([stop.state, stop.cleanUp], ['succeeded', { done: true, tries: 1 }])
  assert.ok(looks >= 5, `${looks} looks`)
  assert.equal([...new Set(held)], ['busy'])
})

test('a clean-up that fails is tried three times, and that it was not done is said', async () => {
  const session = sessionOf({
    seconds: 0.2,
    cleanUp: '  - set: {psu.voltage: 1}\n  - assert: {condition: psu.voltage > 2, message: it never is}',
  })
  await hub.assign(session)
  const stop = await stopOf(session)
  assert.equal([stop.state, stop.cleanUp?.done, stop.cleanUp?.tries], ['succeeded', false, 3])
  assert.match(String(stop.cleanUp?.error?.message), /it never is/)
  assert.equal(stop.safeState, { reached: true })
  assert.is(node.instrument().values.get('output'), false)
})

test('a command that hangs does not hold the end up', async () => {
  const session = sessionOf()
  await begin(session)
  node.instrument().before = (operation) =>
    operation.op === 'call'
      ? new Promise<void>((_, reject) => setTimeout(() => reject(new Error('late')), 300))
      : undefined
  const hanging = command(session, { what: 'call', action: 'psu.pulse', arguments: { length: 1 } })
  const failed = refusedWith('session-not-active', hanging)
  await hub.call('session.finish', { runId: session.runId, attempt: 1, by: 'ada' })
  await failed
  assert.is((await stopOf(session)).state, 'succeeded')
  assert.is(commandsOf(session).at(-1)?.[1], 'end')
})

test('a bench that vanishes ends it without a clean-up, and says so', async () => {
  const session = sessionOf({ cleanUp: '  - set: {psu.voltage: 0}' })
  await begin(session)
  node.instrument().failOpen = new LabError({ code: 'gone', kind: 'instrument', message: 'gone' })
  node.instrument().connection(false)
  const stop = await stopOf(session)
  assert.match(String(stop.error?.code), /^instrument-(lost|offline)$/)
  assert.equal([stop.state, stop.cleanUp?.done, stop.cleanUp?.tries], ['failed', false, 0])
  node.instrument().failOpen = undefined
})

test('a node that goes down leaves the bench safe, and cleans up when it is back, before anybody else gets it', async () => {
  const session = sessionOf({ cleanUp: '  - set: {psu.voltage: 0.75}' })
  await begin(session)
  await command(session, { what: 'set', values: { 'psu.voltage': 3 } })
  const before = node.instrument()
  await node.edge.close()
  assert.is(before.values.get('voltage'), 0)
  assert.is(before.sets('voltage').includes(0.75), false)
  const next = assignmentOf(protocolOf('  - set: {psu.voltage: 4}'))
  node = await node.restart()
  await hub.until('it is back', () => node.edge.syncState === 'synced')
  await hub.assign(next)
  const stop = await stopOf(session)
  assert.equal([stop.state, stop.cleanUp], ['interrupted', { done: true, tries: 1 }])
  await hub.until('the next run stopped', () => hub.stopped(next.runId) !== undefined)
  const sets = node.instrument().sets('voltage')
  assert.ok(sets.indexOf(0.75) >= 0 && sets.indexOf(0.75) < sets.indexOf(4), String(sets))
})

test.run()
