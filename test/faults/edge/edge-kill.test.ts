/** The node's process is killed (-9) at every named point, with a hub that checks every document as it comes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FaultPoint, faultPoints } from '@fernlab/edge/fault-point'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import * as assert from 'uvu/assert'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { type BenchInstruments, serveBench } from '../../support/faults/bench-instruments.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the node killed at each point, document by document', { timeoutMs: 40_000, fileTimeoutMs: 900_000 })
const protocol = protocolOf(
  `  - set: {psu.voltage: 4, psu.output: true}
  - record: {signals: [psu.voltage], rate: 50, stream: trace, for: 800 ms}
  - set: {psu.voltage: 2}
  - read: {signals: [psu.voltage]}`,
)

let folder: string
let instruments: BenchInstruments
let hub: ScriptedHub
let edge: OwnProcess

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-kill-'))
  instruments = await serveBench('kill')
  hub = await startScriptedHub('n1')
  hub.repairing = true
  const file = join(folder, 'node.yaml')
  await writeFile(
    file,
    `site: ${SITE}
node: n1
hub: {url: "mqtt://127.0.0.1:${hub.port}"}
instruments:
  supply: {driver: scpi, config: {model: fern-psu, transport: {kind: tcp, host: 127.0.0.1, port: ${instruments.psu.port}}}}
benches:
  bench-1: {parts: {psu: supply}, safeState: {psu.output: false, psu.voltage: 0}}
`,
  )
  edge = new OwnProcess({
    name: 'edge',
    script: 'edge/dist/bundle/edge-process.js',
    args: ['--config', file],
    env: { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' },
    logFile: join(folder, 'edge.log'),
    ready: async () => {
      const before = hub.inventories.length
      await hub.until(
        'an inventory with a free bench',
        () => hub.inventories.length > before && benchState() === 'free',
        15_000,
      )
    },
  })
})
test.after.each(async () => {
  await edge.kill()
  edge.close()
  await hub.close()
  await instruments.close()
  await rm(folder, { recursive: true, force: true })
})

const benchState = (): string | undefined => {
  const text = hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`)
  return text === undefined ? undefined : (JSON.parse(text) as { state: string }).state
}

/** What every run must look like on the hub, whatever happened to the node. */
const checkDocuments = (assignment: Assignment) => {
  const documents = hub.documents(assignment.runId)
  const names = documents.map(({ name }) => name)
  assert.is(names[0], 'start')
  assert.is(names.filter((name) => name === 'start').length, 1)
  assert.is(names.filter((name) => name === 'stop').length, 1)
  const stop = documents.at(-1)
  if (stop?.name !== 'stop') throw new Error(`the last document is ${names.at(-1)}`)
  assert.is(stop.doc.documents, documents.length - 1)
  const rows: Record<string, number> = {}
  const described = new Set<string>()
  for (const document of documents) {
    if (document.name === 'descriptor') described.add(document.doc.stream)
    if (document.name !== 'event_page') continue
    const { stream, first, count, time, columns } = document.doc
    assert.ok(described.has(stream), 'a page comes after its descriptor')
    assert.is(first, rows[stream] ?? 0, 'rows are in order, none doubled')
    assert.is(time.length, count)
    for (const column of Object.values(columns)) assert.is(column.length, count)
    rows[stream] = first + count
  }
  assert.equal(stop.doc.rows, rows)
  return stop.doc
}

/** Points at which the node has not yet noted that the run begins: it is taken up again and runs once. */
const fresh: readonly FaultPoint[] = [
  'after-receive-assign',
  'before-accept-commit',
  'after-send-accepted',
  'before-start-commit',
]
const finished: readonly FaultPoint[] = ['after-stop-commit', 'after-acknowledge']
/** Points at which a page is on disk and the stop document is not: that page is what the run leaves behind. */
const cutWithRows: readonly FaultPoint[] = [
  'after-page-commit',
  'before-safe-stop',
  'during-safe-stop',
  'before-stop-commit',
]

/** The time that counts, where it is not the first: the descriptor goes in a page commit of its own. */
const times: Partial<Record<FaultPoint, number>> = { 'after-page-commit': 2, 'after-acknowledge': 4 }

for (const point of faultPoints) {
  test(`killed at ${point}`, async () => {
    await edge.start({ FERNLAB_FAULT_POINT: `${point}:${times[point] ?? 1}` })
    // Only an attempt that has to wait is answered by itself; the start document of any other says that it was accepted.
    const before = point === 'after-send-accepted' ? [assignmentOf(protocol)] : []
    const assignment = assignmentOf(protocol)
    await hub.assign(...before, assignment)
    assert.is(await edge.ended(), 'SIGKILL')
    hub.retained.clear()
    await edge.start()
    // The hub asks again as long as it has heard nothing.
    if (!hub.accepted.some(({ runId }) => runId === assignment.runId)) await hub.assign(assignment)
    await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined, 20_000)
    const stop = checkDocuments(assignment)
    if (fresh.includes(point)) assert.is(stop.state, 'succeeded')
    else if (cutWithRows.includes(point)) {
      assert.is(stop.state, 'interrupted')
      assert.ok((stop.rows.trace ?? 0) > 0, 'what was on disk is kept')
    } else if (!finished.includes(point)) assert.ok(['interrupted', 'succeeded'].includes(stop.state), stop.state)
    if (stop.state === 'interrupted') assert.match(stop.reason, /restarted/)
    assert.equal(stop.safeState, { reached: true })
    assert.equal(await instruments.supply(), { on: false, volts: 0 })
    const moves = instruments.psu.received.filter(({ line }) => /^VOLT 4/.test(line)).length
    assert.ok(moves <= 1, 'a run that touched the bench never runs again')
    // The bench is of use again.
    const next = assignmentOf(protocol)
    await hub.until('the bench is free', () => benchState() === 'free')
    await hub.assign(next)
    await hub.until('the next run stopped', () => hub.stopped(next.runId) !== undefined, 15_000)
    assert.is(checkDocuments(next).state, 'succeeded')
  })
}

test('SIGTERM: ends within 5 s, the run interrupted, the bench safe, offline said', async () => {
  await edge.start()
  const assignment = assignmentOf(protocolOf(`  - set: {psu.voltage: 4, psu.output: true}\n  - wait: 600`), {
    maxSeconds: 900,
  })
  await hub.assign(assignment)
  await hub.until('it runs', () => instruments.psu.received.some(({ line }) => /^OUTP 1/.test(line)))
  const began = performance.now()
  assert.is(await edge.stop(), '0')
  assert.ok(performance.now() - began < 5000)
  assert.equal(await instruments.supply(), { on: false, volts: 0 })
  assert.is(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/status`), 'offline')
  await edge.start()
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  assert.is(checkDocuments(assignment).state, 'interrupted')
})

test('SIGTERM beside an instrument that has fallen silent: ends cleanly within 5 s, and says what was not reached', async () => {
  await edge.start()
  const assignment = assignmentOf(protocolOf(`  - set: {psu.voltage: 4, psu.output: true}\n  - wait: 600`), {
    maxSeconds: 900,
  })
  await hub.assign(assignment)
  await hub.until('it runs', () => instruments.psu.received.some(({ line }) => /^OUTP 1/.test(line)))
  instruments.psu.device.setFault({ kind: 'silent' })
  const began = performance.now()
  assert.is(await edge.stop(), '0')
  assert.ok(performance.now() - began < 5000)
  instruments.psu.device.setFault(undefined)
  assert.equal(await instruments.supply(), { on: false, volts: 0 }, 'it heard')
  assert.is(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/status`), 'offline')
  hub.retained.clear()
  await edge.start()
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stop = checkDocuments(assignment)
  assert.is(stop.reason, 'the node was shut down')
  assert.is(stop.safeState.reached, false)
  assert.match(stop.safeState.error?.message ?? '', /psu\.voltage: /)
})

test.run()
