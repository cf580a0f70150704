import { asFinding } from '@fernlab/edge/discovery/discovery'
import { configOf } from '@fernlab/edge/discovery/equipment'
import { type Finding, told } from '@fernlab/edge/discovery/find'
import { seeI2cBuses } from '@fernlab/edge/discovery/i2c-buses'
import { seeI2cChips } from '@fernlab/edge/discovery/i2c-chips'
import { lookAround } from '@fernlab/edge/discovery/look-around'
import { createNodeLook } from '@fernlab/edge/discovery/node-look'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { es } from '../../hub/web/src/language/es.ts'
import { detailIn, foundIn } from '../../hub/web/src/nodes/findings.ts'
import { type MachineTree, machineTree, raspberryPi } from '../support/machine-tree.ts'
import { suite } from '../support/suite.ts'

const test = suite('what a node finds, in the language of the page')

const trees: MachineTree[] = []
const treeOf = (make: () => MachineTree) => {
  const tree = make()
  trees.push(tree)
  return tree
}
test.after(() => {
  for (const tree of trees) tree.end()
})

const spanish = ((key: string, values: Readonly<Record<string, unknown>> = {}) => {
  const [group = '', ...name] = key.split('.')
  const texts = es[group as 'finding'] as Readonly<Record<string, string>>
  return (texts[name.join('.')] ?? '').replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => String(values[slot]))
}) as unknown as Parameters<typeof foundIn>[1]
const said = (text: string) => foundIn(text, spanish, 'es')

const stranger = { name: 'pi', uid: 4711, gids: [4711] }
const look = (tree: MachineTree, nodeFile?: string, arch = 'arm64') =>
  lookAround({ rootFolder: tree.folder, person: stranger, arch, ...(nodeFile === undefined ? {} : { nodeFile }) })

/** A Pi on which about everything is amiss. */
async function troubled(): Promise<Finding[]> {
  const pi = treeOf(raspberryPi)
  pi.file('/proc/cmdline', 'console=ttyACM0\n')
  pi.file('/sys/devices/platform/soc/soc:firmware/get_throttled', '50005\n')
  pi.file('/sys/class/thermal/thermal_zone0/temp', '82100\n')
  const text = 'hub: { url: in-process }\ninstruments: { psu: { driver: scpi, config: { model: fern-psu, transport: '
  pi.file('/node.yaml', `node: pi\n${text}{ kind: serial, path: /dev/ttyUSB7 } } } }\n`)
  const used = await look(pi, `${pi.folder}/node.yaml`)
  const bare = treeOf(raspberryPi)
  bare.remove('/sys/bus/i2c/devices/i2c-1')
  bare.remove('/sys/bus/w1')
  const restart = await look(bare)
  bare.file('/boot/firmware/config.txt', '\n')
  bare.file('/sys/class/thermal/thermal_zone0/temp', '77000\n')
  bare.file('/sys/devices/platform/soc/soc:firmware/get_throttled', '80000\n')
  return [...used, ...restart, ...(await look(bare)), ...(await look(treeOf(machineTree), undefined, 'arm'))]
}

const ownFindings = async (): Promise<readonly Finding[]> =>
  await createNodeLook({
    machine: { rootFolder: treeOf(machineTree).folder, person: stranger, arch: 'arm64' },
    node: 'pi',
    entries: () => ({ psu: { driver: 'simulated', config: {}, shared: false } }),
    added: () => [],
    outOfUse: new Map(),
    drivers: [],
    benches: new Map(),
    broker: 'in-process',
    clock: systemClock,
  }).find(false)

/** Whether it has one of the small words that every sentence has. */
const isEnglish = (text: string) => / (is|the|has|of|for|was|not|out|and|may|with|on) /.test(` ${text} `)

test('nothing that a node says of its machine stays in English, whatever is amiss on it', async () => {
  const accounts = { person: stranger, groups: new Map([[20, 'i2c']]) }
  const buses = seeI2cBuses(
    [
      { bus: 1, adapter: 'bcm2835', access: { uid: 0, gid: 20, mode: 0o660 } },
      { bus: 3, adapter: 'bcm2835' },
    ],
    accounts,
  )
  const chips = seeI2cChips(1, [
    { address: 0x76, state: 'answers', chips: ['bme280', 'pca9685', 'x'] },
    { address: 0x11, state: 'answers', chips: [] },
    { address: 0x68, state: 'kernel', driver: 'rtc-ds1307', chips: [] },
  ])
  const claims = ['psu', 'dmm'].map((instrument) => ({ instrument, key: 'i2c:1:0x76', what: 'it' }))
  const i2c = [...buses, ...chips].map((one) => asFinding(one, claims))
  const findings = [...(await troubled()), ...(await ownFindings()), ...i2c]
  assert.ok(findings.length > 30, String(findings.length))
  // What a file has that is wrong is told by the checks of the file.
  const left = findings
    .filter(({ what }) => !what.endsWith('node.yaml'))
    .flatMap(({ what, detail, facts = [detail], trouble = '' }) => [what, ...facts, trouble].map(said))
    .filter(isEnglish)
  assert.equal(left, [])
})

test('its parts are put together as the node put them', () => {
  const finding = {
    ...told(
      ['/dev/ttyACM0', 'serial number 12', 'used by psu and dmm and x'],
      "pi may not open it: it is root's alone",
    ),
  }
  assert.is(
    detailIn(finding, spanish, 'es'),
    '/dev/ttyACM0, número de serie 12, lo usa psu, dmm y x: pi no puede abrirlo: es solo de root',
  )
  assert.is(detailIn(finding, spanish, 'en'), finding.detail)
  assert.is(said('answers: tmp102, ads1115 or sht3x'), 'contesta: tmp102, ads1115 o sht3x')
  assert.is(
    said("the address 0x48 on I2C bus 1 is camera's already"),
    'la dirección 0x48 en el bus I2C 1 ya es de camera',
  )
  // Of a node that is too old to say the parts.
  assert.is(detailIn({ detail: 'the voltage held since the start' }, spanish, 'es'), es.finding.held)
})

test('what a node refuses to make an instrument of is said with its why', () => {
  const asked = { find: 'i2c:1:0x76', driver: 'i2c' as const, name: 'air', settings: {} }
  const refusalOf = (finding: Omit<Finding, 'group' | 'what'>): string => {
    try {
      configOf(asked, [{ group: 'I2C', what: 'bus 1', ...finding }])
    } catch (error) {
      return said(asLabError(error).message)
    }
    return 'it was not refused'
  }
  const find = { kind: 'i2c-bus' as const, title: 'bus 1', path: '/dev/i2c-1', keys: [], instruments: [] }
  assert.is(
    refusalOf({
      verdict: 'ok',
      find: { ...find, id: 'i2c:1' },
      ...told(['/dev/i2c-1', 'not asked who is there: bench b-1 is in use']),
    }),
    'el nodo no encuentra ahora i2c:1:0x76 (no se preguntó quién está: el banco b-1 está en uso); mira otra vez',
  )
  assert.is(
    refusalOf({
      verdict: 'look',
      find: { ...find, id: asked.find },
      ...told(['x'], "pi may not open it: it is root's alone"),
    }),
    'i2c:1:0x76 no se puede usar todavía: pi no puede abrirlo: es solo de root',
  )
})

test.run()
