import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { protocolOf, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a run on a node, over a real broker', { timeoutMs: 20_000 })
let hub: ScriptedHub
let node: TestNode

test.before.each(async () => {
  hub = await startScriptedHub('n1')
  node = await startTestNode(hub)
  await hub.until(
    'the bench is free',
    () => node.edge.benches.get('bench-1')?.status.state === 'free' && node.edge.syncState === 'synced',
  )
})
test.after.each(async () => {
  await node.remove()
  await hub.close()
})

const stopOf = (document: NodeDocument | undefined): StopDoc => {
  if (document?.name !== 'stop') throw new Error('there is no stop document')
  return document.doc
}

const sweep = () =>
  protocolOf(
    `  - set: {psu.output: true}
  - sweep:
      variable: v
      unit: V
      from: 1
      to: 5
      points: 5
      steps:
        - set: {psu.voltage: v}
        - read: {signals: [psu.voltage, psu.current], derive: {r: {value: psu.voltage / psu.current, unit: Ohm}}}`,
  )

test('gives start, descriptor, page and stop, in order, with the values and the safe state', async () => {
  const assignment = assignmentOf(sweep())
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const documents = hub.documents(assignment.runId)
  assert.equal(
    documents.map(({ name }) => name),
    ['start', 'descriptor', 'event_page', 'stop'],
  )
  const [start, descriptor, page] = documents
  assert.ok(start?.name === 'start' && start.doc.fence === assignment.fence && start.doc.bench === 'bench-1')
  assert.ok(descriptor?.name === 'descriptor')
  assert.equal(Object.keys(descriptor.doc.dataKeys).sort(), ['psu.current', 'psu.voltage', 'r', 'v'])
  assert.equal(descriptor.doc.configuration['psu-1']?.data, { range: 10 })
  assert.ok(page?.name === 'event_page')
  assert.equal([...(page.doc.columns['psu.voltage'] as Float64Array)], [1, 2, 3, 4, 5])
  for (const r of page.doc.columns.r as Float64Array) assert.ok(Math.abs(r - 100) < 1e-9)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.state, 'succeeded')
  assert.equal(stop.rows, { primary: 5 })
  assert.is(stop.documents, 3)
  assert.equal(stop.safeState, { reached: true })
  assert.is(node.instrument().values.get('voltage'), 0)
  assert.is(node.instrument().values.get('output'), false)
  assert.equal(hub.accepted, [{ runId: assignment.runId, attempt: 1 }])
  await hub.until(
    'all was acknowledged and forgotten',
    () => JSON.parse(hub.retained.get('fernlab/v1/test/nodes/n1/benches/bench-1') ?? '{}').state === 'free',
  )
})

test('is the same whether an assignment comes once or five times', async () => {
  const assignment = assignmentOf(sweep())
  await hub.assign(assignment, assignment)
  for (let i = 0; i < 4; i++) await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const answers = hub.accepted.length + hub.refused.length
  await hub.assign(assignment)
  await hub.until('it was answered', () => hub.accepted.length + hub.refused.length > answers)
  const lines = node.log.lines.filter(
    ({ message, fields }) => /again|stale/.test(message) && (fields as { run?: string }).run === assignment.runId,
  )
  assert.is(lines.length, 1)
  assert.is(hub.arrived.filter(({ name }) => name === 'stop').length, 1)
  assert.equal(
    node
      .instrument()
      .sets('voltage')
      .filter((value) => value === 3).length,
    1,
  )
})

test('a stale fence and a stale attempt have no effect and one log line each', async () => {
  const newer = assignmentOf(sweep(), { attempt: 2 })
  const older = { ...newer, attempt: 1, fence: newer.fence - 1 }
  await hub.assign(newer)
  await hub.until('the newer stopped', () => hub.stopped(newer.runId, 2) !== undefined)
  const done = node.instrument().operations.length
  for (let i = 0; i < 5; i++) await hub.assign(older)
  await hub.until('it was answered', () => hub.refused.length >= 5)
  assert.is(node.instrument().operations.length, done)
  assert.is(node.log.lines.filter(({ message }) => /stale/.test(message)).length, 1)
  assert.is(hub.refused[0]?.error.retry, 'later')
})

test('cancelled while it waits: stops at once, safe, with what was recorded', async () => {
  const assignment = assignmentOf(
    protocolOf(`  - set: {psu.voltage: 4}\n  - read: {signals: [psu.voltage]}\n  - wait: 3600`),
    { maxSeconds: 7200 },
  )
  await hub.assign(assignment)
  await hub.until('it waits', () => node.instrument().values.get('voltage') === 4)
  await hub.until('a page came', () => hub.arrived.some(({ name }) => name === 'event_page'))
  await hub.cancel(assignment.runId, 1, 'the student changed her mind')
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.state, 'cancelled')
  assert.is(stop.reason, 'the student changed her mind')
  assert.equal(stop.rows, { primary: 1 })
  assert.is(node.instrument().values.get('voltage'), 0)
})

test('a protocol that does not fit the bench is refused for good, and nothing moves', async () => {
  const assignment = assignmentOf(protocolOf(`  - set: {psu.voltage: 12}`))
  await hub.assign(assignment)
  await hub.until('it was refused', () => hub.refused.length === 1)
  assert.is(hub.refused[0]?.error.retry, 'never')
  assert.match(hub.refused[0]?.error.message ?? '', /12/)
  assert.equal(node.instrument().sets('voltage'), [0])
})

test('the hub away from before the first step until after the last: all comes later, in order', async () => {
  const assignment = assignmentOf(
    protocolOf(`  - wait: 300 ms\n  - record: {signals: [psu.voltage], rate: 50, stream: trace, for: 600 ms}`),
  )
  await hub.assign(assignment)
  await hub.until('it was accepted', () => hub.accepted.length === 1)
  await hub.away()
  await hub.until('the bench is free again', () => node.edge.benches.get('bench-1')?.status.state === 'free')
  assert.is(hub.stopped(assignment.runId), undefined)
  await hub.back()
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.state, 'succeeded')
  // On a busy machine a sample that came too late is left out; none is there twice.
  const rows = stop.rows.trace ?? 0
  assert.ok(rows > 5 && rows <= 30, `${rows} rows`)
  assert.is(stop.documents, hub.documents(assignment.runId).length - 1)
})

test('documents that are not acknowledged wait through a restart and come once more', async () => {
  hub.acknowledging = false
  const assignment = assignmentOf(sweep())
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  node = await node.restart()
  hub.acknowledging = true
  await hub.until(
    'the inventory says so',
    () => hub.inventories.at(-1)?.attempts[0]?.state === 'stopped' && node.edge.syncState === 'synced',
  )
  // The hub said in its welcome that it has all of them: nothing is sent again, and the node forgets.
  node.edge.benches.get('bench-1')
  await hub.until('nothing is held', () => hub.arrived.filter(({ name }) => name === 'stop').length === 1)
})

test('a silent instrument fails the run with its name, the command and the time, and the data kept', async () => {
  const assignment = assignmentOf(
    protocolOf(`  - set: {psu.voltage: 2}\n  - read: {signals: [psu.voltage]}\n  - set: {psu.voltage: 3}`),
  )
  node.instrument().before = (operation) =>
    operation.op === 'set' && operation.value === 3 ? new Promise(() => {}) : undefined
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.state, 'failed')
  assert.match(stop.reason, /psu-1 did not answer set voltage to 3 within [2-9]\d{3} ms/)
  assert.is(stop.error?.details?.instrument, 'psu-1')
  assert.equal(stop.rows, { primary: 1 })
  assert.match(stop.at ?? '', /steps\[2\]/)
  assert.equal(stop.safeState, { reached: true })
  assert.is(node.instrument().values.get('voltage'), 0)
})

test('garbage from an instrument fails the run', async () => {
  const assignment = assignmentOf(protocolOf(`  - read: {signals: [psu.voltage]}\n  - read: {signals: [psu.voltage]}`))
  let reads = 0
  node.instrument().answer = (signals) =>
    Object.fromEntries(
      signals.map((name) => [name, { value: name === 'range' || ++reads < 2 ? 1 : Number.NaN, time: 1 }]),
    )
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.state, 'failed')
  assert.is(stop.error?.code, 'instrument-garbage')
  assert.match(stop.reason, /psu-1: read voltage failed/)
})

test('a safe state that is not reached is said loudly, and the bench takes nothing more until it is', async () => {
  node.instrument().before = (operation) => {
    if (operation.op === 'set' && operation.what === 'output') throw new Error('relay stuck')
  }
  const assignment = assignmentOf(protocolOf(`  - set: {psu.voltage: 2}`))
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = stopOf(hub.stopped(assignment.runId))
  assert.is(stop.safeState.reached, false)
  assert.match(stop.safeState.error?.message ?? '', /relay stuck/)
  assert.is(node.edge.benches.get('bench-1')?.status.state, 'fault')
  assert.ok(node.log.lines.some(({ level, message }) => level === 'error' && /SAFE STATE/.test(message)))
  const next = assignmentOf(protocolOf(`  - set: {psu.voltage: 2}`))
  await hub.assign(next)
  await hub.until('it was refused', () => hub.refused.some(({ runId }) => runId === next.runId))
  assert.is(hub.refused[0]?.error.code, 'bench-fault')
  node.instrument().before = undefined
  await hub.until('the bench recovered', () => node.edge.benches.get('bench-1')?.status.state === 'free')
})

test('a lease lets one client set and read, refuses runs, and ends in the safe state', async () => {
  const taken = (await hub.call('lease.take', { bench: 'bench-1', holder: 'ada', fence: 1e6, ttlMs: 10_000 })) as {
    lease: string
  }
  const result = await hub.call('bench.exchange', {
    bench: 'bench-1',
    lease: taken.lease,
    set: { 'psu.voltage': 3, 'psu.output': true },
    read: ['psu.current'],
  })
  assert.is((result as { readings: Record<string, { value: number }> }).readings['psu.current']?.value, 0.03)
  for (const [params, code] of [
    [{ bench: 'bench-1', lease: taken.lease, set: { 'psu.voltage': 11 } }, 'value-out-of-limits'],
    [{ bench: 'bench-1', lease: 'another', set: { 'psu.voltage': 1 } }, 'lease-invalid'],
    [{ bench: 'bench-1', set: { 'psu.voltage': 1 } }, 'lease-invalid'],
  ] as const) {
    const refused = await hub.call('bench.exchange', params).catch((error: { code: string }) => error)
    assert.is((refused as { code: string }).code, code)
  }
  assert.equal(
    node
      .instrument()
      .sets('voltage')
      .filter((value) => Number(value) > 0),
    [3],
  )
  const assignment = assignmentOf(sweep(), { fence: 2e6 })
  await hub.assign(assignment)
  await hub.until('the run was refused', () => hub.refused.length === 1)
  assert.is(hub.refused[0]?.error.code, 'bench-busy')
  assert.equal(await hub.call('lease.release', { bench: 'bench-1', lease: taken.lease }), { safe: true })
  const named = { bench: 'bench-1', fence: 1e6, ttlMs: 10_000, lease: 'of-the-hub' }
  assert.equal(await hub.call('lease.take', { ...named, holder: 'ada' }), { lease: 'of-the-hub', ttlMs: 10_000 })
  assert.equal(await hub.call('lease.take', { ...named, holder: 'ada', fence: 1e6 + 1 }), {
    lease: 'of-the-hub',
    ttlMs: 10_000,
  })
  for (const other of [{ holder: 'bo' }, { holder: 'ada', lease: 'another' }]) {
    const refusal = await hub.call('lease.take', { ...named, ...other }).catch((error: LabError) => error.code)
    assert.is(refusal, 'bench-busy')
  }
  assert.equal(await hub.call('lease.release', { bench: 'bench-1', lease: 'of-the-hub' }), { safe: true })
  assert.is(node.instrument().values.get('voltage'), 0)
  const output = 'fernlab/v1/test/nodes/n1/instruments/psu-1/output'
  await hub.until('the topics say so', () => JSON.parse(hub.retained.get(output) ?? '{}').value === false)
})

test('a lease that is not renewed ends in the safe state', async () => {
  const taken = (await hub.call('lease.take', { bench: 'bench-1', holder: 'ada', fence: 3e6, ttlMs: 3000 })) as {
    lease: string
  }
  await hub.call('bench.exchange', { bench: 'bench-1', lease: taken.lease, set: { 'psu.voltage': 3 } })
  await hub.until('the bench is free', () => node.edge.benches.get('bench-1')?.status.state === 'free')
  assert.is(node.instrument().values.get('voltage'), 0)
})

test('the disk full: what runs stops safely, new runs are refused with that reason, and it recovers', async () => {
  await node.remove()
  let free = 1e9
  node = await startTestNode(hub, { measureFreeBytes: async () => free, leastFreeBytes: 1e8 })
  await hub.until(
    'the bench is free',
    () => node.edge.benches.get('bench-1')?.status.state === 'free' && node.edge.syncState === 'synced',
  )
  const running = assignmentOf(protocolOf(`  - set: {psu.voltage: 4}\n  - wait: 3600`), {
    maxSeconds: 7200,
    fence: 4e6,
  })
  await hub.assign(running)
  await hub.until('it runs', () => node.instrument().values.get('voltage') === 4)
  free = 1e7
  await hub.until('the run stopped', () => hub.stopped(running.runId) !== undefined)
  assert.match(stopOf(hub.stopped(running.runId)).reason, /disk/)
  assert.is(node.instrument().values.get('voltage'), 0)
  const next = assignmentOf(sweep(), { fence: 4e6 + 1 })
  await hub.assign(next)
  await hub.until('it was refused', () => hub.refused.length === 1)
  assert.is(hub.refused[0]?.error.code, 'disk-full')
  free = 1e9
  await hub.until('there is room again', () => node.log.lines.some(({ message }) => /room again/.test(message)))
  await hub.assign({ ...next, fence: next.fence + 1 })
  await hub.until('it ran', () => hub.stopped(next.runId) !== undefined)
})

test('closes within its time beside an instrument that has fallen silent: the others safe at once, the run told of', async () => {
  await node.remove()
  node = await startTestNode(hub, { benches: 2 })
  const [one, two] = ['bench-1', 'bench-2'].map((name) => node.edge.benches.get(name))
  await hub.until(
    'the benches are free',
    () => one?.status.state === 'free' && two?.status.state === 'free' && node.edge.syncState === 'synced',
  )
  const running = assignmentOf(protocolOf(`  - set: {psu.voltage: 4}\n  - wait: 3600`), {
    maxSeconds: 7200,
    fence: 5e6,
  })
  await hub.assign(running)
  await hub.until('it runs', () => node.instrument('psu-1').values.get('voltage') === 4)
  const { lease } = (await hub.call('lease.take', { bench: 'bench-2', holder: 'ada', fence: 5e6, ttlMs: 60_000 })) as {
    lease: string
  }
  await hub.call('bench.exchange', { bench: 'bench-2', lease, set: { 'psu.voltage': 3 } })
  node.instrument('psu-1').before = () => new Promise(() => {})
  const began = performance.now()
  const closing = node.close()
  // Long before the silent one is given up, which takes 2 s.
  await hub.until('the leased bench is safe', () => node.instrument('psu-2').values.get('voltage') === 0, 1000)
  await closing
  const elapsedMs = performance.now() - began
  assert.ok(elapsedMs < 4500, `${elapsedMs} ms`)
  node = await node.restart()
  await hub.until('the run stopped', () => hub.stopped(running.runId) !== undefined)
  const stop = stopOf(hub.stopped(running.runId))
  assert.is(stop.reason, 'the node was shut down')
  assert.match(stop.safeState.error?.message ?? '', /psu\.voltage: /)
})

test('a run goes on undisturbed beside a bench whose instrument hangs', async () => {
  await node.remove()
  node = await startTestNode(hub, { benches: 2 })
  const benches = ['bench-1', 'bench-2'].map((name) => node.edge.benches.get(name))
  await hub.until(
    'the benches are free',
    () => benches.every((bench) => bench?.status.state === 'free') && node.edge.syncState === 'synced',
  )
  node.instrument('psu-1').before = ({ op }) => (op === 'call' ? new Promise(() => {}) : undefined)
  const hung = assignmentOf(
    protocolOf('  - set: {psu.output: true}\n  - call: {action: psu.pulse, arguments: {length: 1 s}, within: 300}'),
    { maxSeconds: 900, fence: 6e6 },
  )
  await hub.assign(hung)
  await hub.until('it hangs', () => node.instrument('psu-1').operations.some(({ op }) => op === 'call'))
  const other = assignmentOf(
    protocolOf(
      '  - set: {psu.voltage: 3}\n  - record: {signals: [psu.voltage, psu.current], rate: 50, stream: trace, for: 1}',
    ),
    { bench: 'bench-2', fence: 6e6 },
  )
  await hub.assign(other)
  await hub.until('the other run stopped', () => hub.stopped(other.runId) !== undefined)
  const stop = stopOf(hub.stopped(other.runId))
  assert.is(stop.state, 'succeeded', stop.reason)
  assert.ok((stop.rows.trace ?? 0) > 25, `${stop.rows.trace} rows`)
  assert.is(node.instrument('psu-2').values.get('voltage'), 0)
  assert.is(hub.stopped(hung.runId), undefined)
  await hub.cancel(hung.runId, 1, 'enough')
  await hub.until('the hung run stopped', () => hub.stopped(hung.runId) !== undefined)
  assert.equal(stopOf(hub.stopped(hung.runId)).safeState, { reached: true })
  assert.is(node.instrument('psu-1').values.get('output'), false)
})

test('health and status are retained, and offline is said at the end', async () => {
  await hub.until('health came', () => hub.retained.has('fernlab/v1/test/nodes/n1/health'))
  const health = JSON.parse(hub.retained.get('fernlab/v1/test/nodes/n1/health') ?? '{}')
  assert.equal(health.problems, [])
  assert.ok(health.memory_bytes > 0)
  assert.is(hub.retained.get('fernlab/v1/test/nodes/n1/status'), 'online')
  await node.close()
  await hub.until('offline came', () => hub.retained.get('fernlab/v1/test/nodes/n1/status') === 'offline')
})

test('a node whose credential the hub refuses says so once, however often it tries', async () => {
  await node.remove()
  hub.broker.authenticate = (_client, _username, _password, done) =>
    done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }), null)
  let refused = 0
  hub.broker.on('clientError', () => refused++)
  node = await startTestNode(hub)
  const said = () => node.log.lines.filter(({ message }) => /refuses this node’s credential.*enrol/.test(message))
  while (refused < 4) await sleep(20)
  assert.is(said().length, 1)
})

test('steps wait until a signal may be set again, and who drives by hand is told to', async () => {
  await node.remove()
  node = await startTestNode(hub, {
    prepare: (instrument) => {
      const slow = instrument.spec.signals.map((signal) =>
        signal.name === 'voltage' ? { ...signal, minSetIntervalS: 0.3 } : signal,
      )
      Object.assign(instrument.spec, { signals: slow })
    },
  })
  await hub.until('the bench is free', () => node.edge.benches.get('bench-1')?.status.state === 'free')
  const steps = [1, 2, 3].map((volts) => `  - set: {psu.voltage: ${volts}}`).join('\n')
  const assignment = assignmentOf(protocolOf(steps))
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  assert.is(stopOf(hub.stopped(assignment.runId)).state, 'succeeded')
  const times = node
    .instrument()
    .operations.filter(({ op, what, value }) => op === 'set' && what === 'voltage' && value !== 0)
  assert.is(times.length, 3)
  for (const [i, { atMs }] of times.entries()) assert.ok(i === 0 || atMs - (times[i - 1]?.atMs ?? 0) >= 299)
  const take = { bench: 'bench-1', holder: 'ada', fence: 1e7, ttlMs: 10_000 }
  const { lease } = (await hub.call('lease.take', take)) as { lease: string }
  await sleep(400)
  const set = (volts: number) => hub.call('bench.exchange', { bench: 'bench-1', lease, set: { 'psu.voltage': volts } })
  // Sent at once: the second comes right after the first, however slow the way there and back is.
  const [first, second] = await Promise.all(
    [1, 2].map((volts) =>
      set(volts).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      ),
    ),
  )
  assert.equal([first, second], ['taken', 'set-too-soon'])
})

test.run()
