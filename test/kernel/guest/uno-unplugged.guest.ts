/** The compiled node with the emulated Uno on a USB serial adapter of a real kernel, which is pulled out in a run. */
import { copyFileSync, mkdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { download, fernlabJson, until } from '../../support/kernel/in-guest/at-hub.ts'
import { type EdgeService, joinNetwork, startEdgeService } from '../../support/kernel/in-guest/edge-service.ts'
import { askHost } from '../../support/kernel/in-guest/host.ts'
import { suite } from '../../support/suite.ts'

const test = suite('an Uno that is unplugged', { timeoutMs: 150_000, hookTimeoutMs: 150_000, fileTimeoutMs: 300_000 })
const port = '/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FLUNO-if00-port0'
const nodeFile = `node: bench-5
hub: { url: HUB }
instruments:
  uno:
    driver: board
    config:
      transport: { kind: serial, path: ${port}, baudRate: 115200 }
      description: ./thermal-control.json
benches:
  warm:
    title: Block on an Uno
    parts: { block: uno }
    safeState: { block.heater: 0, block.control: false }
`
let service: EdgeService

interface Shown {
  readonly state: string
  readonly reason?: string
  readonly error?: { readonly code: string }
}

interface Stop {
  readonly doc: {
    readonly ended_at: string
    readonly num_events: Readonly<Record<string, number>>
    readonly safe_state: { readonly reached: boolean }
  }
}

const bench = () => fernlabJson<Shown>('bench', 'show', 'bench-5.warm')
const isIn = (wanted: string) => (shown: Shown) => shown.state === wanted
const isOver = ([run]: Shown[]) => run !== undefined && !/queued|assigned|running/.test(run.state)

test.before(async () => {
  await joinNetwork(AbortSignal.timeout(100_000))
  mkdirSync('/etc/fernlab', { recursive: true })
  copyFileSync('/fernlab/shared/labs/demo-node/thermal-control.json', '/etc/fernlab/thermal-control.json')
  service = await startEdgeService('bench-5', nodeFile)
})

test('pulled out in a run: the run is told, and the bench is away', async ({ signal }) => {
  const soon = { signal, more: service.log }
  await until(() => fernlabJson<Shown>('node', 'show', 'bench-5'), isIn('online'), soon)
  await until(bench, isIn('free'), soon)
  const { id } = await fernlabJson<{ id: string }>('run', 'warm', 'warm', '-p', 'duration=600', '--no-wait')
  const documents = () => download(`/api/v1/runs/${id}/documents`)
  await until(documents, (lines) => lines.some((line) => line.includes('"event_page"')), soon)
  await askHost('unplug')
  const [run] = await until(() => fernlabJson<Shown[]>('runs', '--lab', 'warm'), isOver, soon)
  assert.is(run?.state, 'failed')
  assert.is(run?.error?.code, 'board-disconnected', run?.reason)
  const away = await until(bench, isIn('fault'), soon)
  assert.match(away.reason ?? '', /^bench warm did not reach its safe state: .*uno is offline/)
  const stop = JSON.parse((await documents()).at(-1) ?? '{}') as Stop
  assert.ok((stop.doc.num_events.warming ?? 0) > 0, 'what was measured until then is kept')
  assert.is(stop.doc.ended_at, 'steps[1].record')
  assert.is(stop.doc.safe_state.reached, false)
})

test('plugged in again, the board comes back by itself, and runs go on', async ({ signal }) => {
  await askHost('plug')
  await until(bench, isIn('free'), { signal, more: service.log })
  const { id, state } = await fernlabJson<{ id: string; state: string }>('run', 'warm', 'warm', '-p', 'duration=1')
  assert.is(state, 'succeeded')
  const [head, ...rows] = await download(`/api/v1/runs/${id}/data.csv`)
  assert.is(head, 'time_s,block_temperature [Cel],block_heater [%]')
  assert.ok(rows.length > 0)
  for (const row of rows) {
    const [, celsius = Number.NaN, percent] = row.split(',').map(Number)
    assert.ok(celsius > 15 && celsius < 60, row)
    assert.is(percent, 30)
  }
})

test('stopped, the node ends well', async () => {
  assert.is(await service.stop(), 0)
})

test.run()
