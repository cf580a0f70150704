/** The schemas as editors read them: the files in shared/schemas, which `npm run check` keeps fresh. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { builtInCheckKinds } from '@fernlab/edge/checks/check-kinds'
import { loadConfig } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { builtInModels } from '@fernlab/edge/drivers/simulated/simulated'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { guides } from '../support/doc-blocks.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

interface Schema {
  readonly $id?: string
  readonly title?: string
  readonly description?: string
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

const test = suite('editors complete the files of a lab builder')
const labs = join(root, 'shared/labs')
const files = readdirSync(labs, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'))
const kinds = ['lab', 'node', 'protocol'] as const
const schemaOf = (kind: string): Schema =>
  JSON.parse(readFileSync(join(root, `shared/schemas/${kind}.json`), 'utf8')) as Schema
const ajv = new Ajv2020({ strict: false })
const [lab, node, protocol] = kinds.map((kind) => ajv.compile(schemaOf(kind)))
const demo = (path: string) => parse(readFileSync(join(labs, path), 'utf8')) as Record<string, unknown>

/** Every schema within a schema that is the value of a property, with its path. */
function properties(value: unknown, path = ''): [string, Schema][] {
  if (Array.isArray(value)) return value.flatMap((each, i) => properties(each, `${path}[${i}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]): [string, Schema][] =>
    key === 'properties'
      ? Object.entries(inner as Record<string, Schema>).flatMap(([name, schema]): [string, Schema][] => [
          [`${path}/${name}`, schema],
          ...properties(schema, `${path}/${name}`),
        ])
      : properties(inner, path),
  )
}

test('the first line of each demo file leads to the schema of its kind', () => {
  assert.ok(files.length > 6)
  for (const path of files) {
    const file = join(labs, path)
    const [first = ''] = readFileSync(file, 'utf8').split('\n')
    const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1]
    assert.ok(schema, `${path}: ${first}`)
    assert.ok(existsSync(resolve(dirname(file), schema)), `${path}: ${schema}`)
    const kind = path.includes('protocols/') ? 'protocol' : path.endsWith('node.yaml') ? 'node' : 'lab'
    assert.ok(schema.endsWith(`/${kind}.json`), `${path}: ${schema}`)
  }
})

test('each schema has a name for good, and says of every key what it is', () => {
  for (const kind of kinds) {
    const schema = schemaOf(kind)
    assert.is(schema.$id, `https://fernlab.example/schemas/${kind}.json`)
    const found = properties(schema)
    assert.ok(found.length > 15, `${kind} has ${found.length} keys`)
    // A model's settings have titles, as the parameters of protocols do.
    const silent = found.filter(([, { description = '', title = '' }]) => `${description}${title}` === '')
    assert.equal(
      silent.map(([path]) => path),
      [],
    )
  }
})

test('the schemas accept the demo files and refuse a misspelling', () => {
  let protocols = 0
  for (const path of files.filter((path) => !path.endsWith('node.yaml'))) {
    const data = demo(path)
    if (path.includes('protocols/')) {
      assert.ok(protocol?.(data), `${path}: ${ajv.errorsText(protocol?.errors)}`)
      assert.not(protocol?.({ ...data, steps: [{ sett: {} }] }), path)
      protocols += 1
    } else {
      assert.ok(lab?.(data), `${path}: ${ajv.errorsText(lab?.errors)}`)
      assert.not(lab?.({ ...data, sumary: 'x' }), path)
    }
  }
  assert.ok(protocols >= 5)
  assert.ok(node?.(demo('demo-node/node.yaml')), ajv.errorsText(node?.errors))
})

test('the schema of node.yaml knows each driver and each model', async () => {
  const named = (key: string) => [
    ...new Set(
      properties(schemaOf('node')).flatMap(([path, schema]) =>
        path.endsWith(`/${key}`) && schema.const !== undefined ? [schema.const] : [],
      ),
    ),
  ]
  assert.equal(
    named('driver'),
    builtInDrivers().map(({ kind }) => kind),
  )
  const described = ['scpi', 'lines'].flatMap((driver) =>
    readdirSync(join(root, `edge/drivers/${driver}/models`)).map((file) => file.replace('.yaml', '')),
  )
  assert.equal(named('model').sort(), [...described, ...builtInModels.map(({ name }) => name)].sort())
  const checks = builtInCheckKinds().map(({ kind }) => kind)
  const kinds = named('kind')
  for (const kind of ['emulated', 'serial', 'tcp', ...checks]) assert.ok(kinds.includes(kind), kind)
})

const NODE = `node: bench-3
hub: { url: 'mqtt://hub.example:1883' }
instruments:
  psu:
    driver: scpi
    config:
      model: rigol-dp832
      settings: { channel: 3 }
      transport: { kind: serial, path: /dev/ttyUSB0, baudRate: 9600 }
  dmm: { driver: scpi, config: { model: keysight-34465a, transport: { kind: tcp, host: 192.0.2.10 } } }
  cell: { driver: simulated, config: { model: hodgkin-huxley, settings: { celsius: 6 } } }
benches:
  left:
    parts: { supply: psu, meter: dmm }
    safeState: { supply.output: false, supply.voltage: 0 }
    limits: { supply.voltage: { high: 5 } }
`

/** What a node makes of the file: its configuration is checked and its instruments are made, none is opened. */
async function acceptedByNode(text: string): Promise<boolean> {
  const drivers = builtInDrivers()
  const openTransport = () => Promise.reject(new TypeError('nothing is to be opened'))
  try {
    const { file } = await loadConfig({ text, folder: root }, drivers)
    for (const [name, entry] of Object.entries(file.instruments)) {
      const driver = drivers.find(({ kind }) => kind === entry.driver)
      await driver?.create(entry.config, { name, clock, log, openTransport, configFolder: root })
    }
    return true
  } catch (error) {
    if (error instanceof LabError) return false
    throw error
  }
}

const same: readonly (readonly [string, string, boolean])[] = [
  ['driver: simulated', 'driver: simulatd', false],
  ['model: rigol-dp832', 'model: rigol-dp833', false],
  ['model: hodgkin-huxley', 'model: perceptron', false],
  ['channel: 3', 'channel: 4', false],
  ['channel: 3', 'chanel: 3', false],
  ['celsius: 6', 'celsius: 99', false],
  ['celsius: 6', 'kelvin: 280', false],
  ['kind: tcp', 'kind: usb', false],
  [', host: 192.0.2.10', '', false],
  ['baudRate: 9600', 'baudRate: fast', false],
  ['baudRate: 9600', 'baud: 9600', false],
  ['model: keysight-34465a, ', '', false],
  ['model: keysight-34465a', 'timeoutMs: 1, model: keysight-34465a', false],
  ['driver: simulated, ', '', false],
  ['driver: simulated', 'shared: sometimes, driver: simulated', false],
  ['mqtt://', 'ftp://', false],
  ['bench-3', 'Bench 3', false],
  ['supply: psu', 'supply: PSU 1', false],
  ['supply.voltage: 0', 'supply.voltage: none', false],
  ['{ high: 5 }', '{ highest: 5 }', false],
  ['benches:', 'bench:', false],
  ['benches:', 'interlocks: []\nbenches:', false],
  [', settings: { celsius: 6 }', '', true],
  ['driver: simulated', 'title: Cell, shared: true, driver: simulated', true],
  ['kind: tcp', 'port: 4000, kind: tcp', true],
  ['model: keysight-34465a', 'settings: { nplc: 10 }, timeoutMs: 5000, model: keysight-34465a', true],
  ['model: keysight-34465a', 'model: ./edge/drivers/scpi/models/keysight-34465a.yaml', true],
]
for (const [from, to, good] of same) {
  test(`${good ? 'takes' : 'refuses'} a node.yaml with ${JSON.stringify(to)} for ${from}, as a node does`, async () => {
    assert.ok(NODE.includes(from), from)
    const text = NODE.replace(from, to)
    assert.is(node?.(parse(text)), good, ajv.errorsText(node?.errors))
    assert.is(await acceptedByNode(text), good)
  })
}

test('accepts the node.yaml files of the guides', () => {
  const found = guides().flatMap(({ blocks }) => blocks.filter(({ file }) => file?.endsWith('node.yaml')))
  assert.ok(found.length >= 2)
  for (const { text } of [...found, { text: NODE }]) assert.ok(node?.(parse(text)), ajv.errorsText(node?.errors))
})

test.run()
