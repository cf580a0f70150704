/** A board at a USB port of a real kernel becomes an instrument, a bench and a run, and nobody describes it. */
import * as assert from 'uvu/assert'
import { download, fernlab, fernlabJson, until } from '../../support/kernel/in-guest/at-hub.ts'
import {
  type EdgeService,
  joinNetwork,
  startEdgeAgain,
  startEdgeService,
} from '../../support/kernel/in-guest/edge-service.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a board that introduces itself', {
  timeoutMs: 150_000,
  hookTimeoutMs: 150_000,
  fileTimeoutMs: 300_000,
})
const find = 'serial:usb-QEMU_QEMU_USB_SERIAL_FLFOUND-if00-port0'
const bare = 'node: bench-6\nhub: { url: HUB }\ninstruments: {}\nbenches: {}\n'
const withBench = `node: bench-6
hub: { url: HUB }
instruments: {}
benches:
  warm: { title: Block on an Uno, parts: { block: uno }, safeState: { block.heater: 0, block.control: false } }
`
let service: EdgeService

interface Shown {
  readonly id: string
  readonly state: string
}
interface Look {
  readonly findings: readonly {
    readonly find?: { readonly id: string; readonly path?: string; readonly drafts?: readonly { driver: string }[] }
    readonly what: string
  }[]
  readonly added: readonly { readonly name: string; readonly driver: string; readonly leftOut?: string }[]
}

const isIn = (wanted: string) => (shown: Shown) => shown.state === wanted
const look = () => fernlabJson<Look>('node', 'look', 'bench-6')

test.before(async () => {
  await joinNetwork(AbortSignal.timeout(100_000))
  service = await startEdgeService('bench-6', bare)
})

test('is found at its lasting name, and is an instrument by one command at the hub', async ({ signal }) => {
  await until(() => fernlabJson<Shown>('node', 'show', 'bench-6'), isIn('online'), { signal, more: service.log })
  const found = (await look()).findings.find((finding) => finding.find?.id === find)
  assert.ok(
    found?.find?.drafts?.some(({ driver }) => driver === 'board'),
    JSON.stringify(found),
  )
  await fernlab('node', 'equip', 'bench-6', find, '--driver', 'board', '--name', 'uno', '--set', 'baudRate=115200')
  const { added } = await look()
  assert.equal(
    added.map(({ name, driver, leftOut }) => [name, driver, leftOut]),
    [['uno', 'board', undefined]],
  )
})

test('has, in a bench that only names it, the signals and units that its firmware says', async ({ signal }) => {
  assert.is(await service.stop(), 0)
  service = await startEdgeAgain(withBench)
  const soon = { signal, more: service.log }
  // The hub has the bench once the node is back.
  const isFree = (benches: Shown[]) => benches.some(({ id, state }) => id === 'bench-6.warm' && state === 'free')
  await until(() => fernlabJson<Shown[]>('benches'), isFree, soon)
  const { id, state } = await fernlabJson<{ id: string; state: string }>('run', 'warm', 'warm', '-p', 'duration=1')
  assert.is(state, 'succeeded')
  const [head, ...rows] = await download(`/api/v1/runs/${id}/data.csv`)
  assert.is(head, 'time_s,block_temperature [Cel],block_heater [%]')
  assert.ok(rows.length > 0)
})

test('is a bench’s, and not to be taken back', async () => {
  const refused = await fernlab('node', 'unequip', 'bench-6', 'uno').then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(refused, /bench warm of node\.yaml has uno/)
  assert.is((await look()).added[0]?.name, 'uno')
  assert.is(await service.stop(), 0)
})

test.run()
