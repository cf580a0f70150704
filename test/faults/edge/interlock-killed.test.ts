/** Every fsync takes 200 ms longer, and the node is killed (-9): an interlock acts at once, and stays tripped. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import * as assert from 'uvu/assert'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { type BenchInstruments, serveBench } from '../../support/faults/bench-instruments.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { suite } from '../../support/suite.ts'

const test = suite('interlocks of a node with a slow disk', { timeoutMs: 60_000 })
/** How much longer every sync takes. */
const HELD_MS = 200
const slow = ['strace', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=fsync,fdatasync', '-e', 'signal=none']
const wrapper = [...slow, '-o', '/dev/null', '-e', `inject=fsync,fdatasync:delay_exit=${HELD_MS * 1000}`]

let folder: string
let instruments: BenchInstruments
let hub: ScriptedHub
let edge: OwnProcess

const bench = (): Partial<BenchStatus> =>
  JSON.parse(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`) ?? '{}')

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-interlock-'))
  instruments = await serveBench('interlock')
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
interlocks:
  too-high: {bench: bench-1, when: psu.measured_voltage > 8, everyMs: 50}
`,
  )
  edge = new OwnProcess({
    name: 'edge',
    script: 'edge/dist/bundle/edge-process.js',
    args: ['--config', file],
    env: { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' },
    logFile: join(folder, 'edge.log'),
    wrapper,
    ready: async () => {
      const before = hub.inventories.length
      await hub.until(
        'an inventory, and an interlock that was read',
        () => hub.inventories.length > before && bench().interlocks?.[0]?.holds !== true && bench().state !== 'offline',
        20_000,
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

const steps = `  - set: {psu.voltage: 9, psu.output: true}\n  - wait: 60`

test('the safe state begins within 20 ms of the reading, with the hub gone too', async () => {
  await edge.start()
  const delays: number[] = []
  for (let round = 0; round < 5; round++) {
    await hub.until('the bench is free', () => bench().state === 'free', 20_000)
    const assignment = assignmentOf(protocolOf(steps))
    const from = instruments.psu.received.length
    await hub.assign(assignment)
    if (round === 4) await hub.away()
    const stop = () => instruments.psu.received.slice(from).find(({ line }) => /OUTP (0|OFF)/.test(line))
    await hub.until('it was made safe', () => stop() !== undefined, 20_000)
    const on = instruments.psu.received.slice(from).findIndex(({ line }) => /OUTP (1|ON)/.test(line))
    const atMs = stop()?.atMs ?? 0
    const asked = instruments.psu.received
      .slice(from + on)
      .filter((one) => /MEAS:VOLT/.test(one.line) && one.atMs < atMs)
    // The reading of the interlock's own poll; the emulated supply answers at once.
    delays.push(atMs - (asked.at(-1)?.atMs ?? 0))
    if (round === 4) break
    await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined, 20_000)
    const document = hub.stopped(assignment.runId)
    assert.is(document?.name === 'stop' && document.doc.error?.code, 'interlock-tripped')
    await hub.until('it is over', () => bench().interlocks?.[0]?.holds === false, 20_000)
    await hub.call('bench.reset-interlock', { bench: 'bench-1' })
  }
  delays.sort((a, b) => a - b)
  const told = `safe states began after ${delays.map((ms) => ms.toFixed(1)).join(', ')} ms`
  assert.ok((delays[2] ?? 99) <= 20, told)
  // Half of what one sync takes here: also the slowest has waited for none, whatever else the machine had to do.
  assert.ok((delays[4] ?? 999) <= HELD_MS / 2, told)
})

test('killed after the run has stopped: the latch is there again, and a reset outlives the next kill', async () => {
  await edge.start()
  await hub.until('the bench is free', () => bench().state === 'free', 20_000)
  const assignment = assignmentOf(protocolOf(steps))
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined, 20_000)
  await edge.kill()
  hub.retained.clear()
  await edge.start()
  await hub.until('it was read', () => bench().interlocks?.[0]?.holds === false, 20_000)
  assert.is(bench().state, 'fault')
  assert.match(bench().reason ?? '', /^interlock too-high has tripped: .* that is over/)
  await hub.call('bench.reset-interlock', { bench: 'bench-1' })
  await edge.kill()
  hub.retained.clear()
  await edge.start()
  await hub.until('the bench is free', () => bench().state === 'free', 20_000)
  assert.is(bench().interlocks?.[0]?.state, 'clear')
})

test.run()
