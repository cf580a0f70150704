import { chmod, chown, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newDriver } from '@fernlab/edge/driver-kit/new-driver'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createOwnDriver } from '@fernlab/edge/drivers/own/own'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a driver of one’s own in TypeScript', { timeoutMs: 120_000, fileTimeoutMs: 600_000 })
const { signal } = new AbortController()
let scratch = ''

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fernlab-own-'))
})
test.after(() => rm(scratch, { recursive: true, force: true }))

/** A box with one value and a way to go wrong. */
const BOX = `
import { readFileSync } from 'node:fs'
import { driverOf, LabError, z } from '@fernlab/driver'
import { initial } from './initial.ts'

enum Mood { Calm = 'calm' }

export default driverOf({
  kind: 'box',
  schema: z.strictObject({ gain: z.number().min(1).default(1), how: z.string().default(Mood.Calm) }),
  create: async ({ gain, how }, { name }) => {
    if (how === 'unmade') throw new TypeError('no box today')
    let value = initial
    let tell: (up: boolean, reason?: string) => void = () => {}
    console.log('a library says hello')
    process.stdout.write('{"jsonrpc":"2.0","id":1,"result":"nonsense"}\\n')
    return {
      spec: {
        name, driver: 'own', signals: [
          { name: 'value', unit: 'V', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' },
          { name: 'environment', unit: '1', dtype: 'string', shape: [], kind: 'reading', access: 'read' },
          { name: 'children', unit: '1', dtype: 'string', shape: [], kind: 'reading', access: 'read' },
        ],
        actions: [{ name: 'explode', arguments: {} }, { name: 'lose', arguments: {} }],
      },
      open: async () => {},
      onConnection: (listener) => { tell = listener },
      read: async (names) => {
        if (how === 'gone') throw new LabError({ code: 'no-box', kind: 'link', message: 'the box is away' })
        const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim()
        const all = { value: value * gain, environment: Object.keys(process.env).sort().join(' '), children }
        return Object.fromEntries(names.map((each) => [each, { value: all[each], time: Date.now() / 1000 }]))
      },
      set: async (_, wanted) => { value = Number(wanted) },
      call: async (action) => {
        if (action === 'lose') { tell(false, 'unplugged'); tell(true); return }
        setTimeout(() => { throw new RangeError('nobody waits for this') })
      },
      close: async () => { console.error('the box is closed') },
    }
  },
})
`

interface Made {
  readonly folder: string
  readonly instrument: Promise<Instrument>
  readonly log: ReturnType<typeof recordingLog>
}

/** A folder with these files, and the instrument that a node makes of it. */
async function make(files: Readonly<Record<string, string>>, settings: object = {}, change = async (_: string) => {}) {
  const node = await mkdtemp(join(scratch, 'node-'))
  const folder = join(node, 'drivers/box')
  await mkdir(folder, { recursive: true })
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text)
  await change(folder)
  return { folder, ...created(node, settings) }
}

function created(configFolder: string, settings: object): Omit<Made, 'folder'> {
  const log = recordingLog()
  const openTransport = createOpenTransport({ clock: systemClock, log })
  const context = { name: 'box-1', clock: systemClock, log, openTransport, configFolder }
  return { log, instrument: createOwnDriver().create({ folder: './drivers/box', settings }, context) }
}

const good = { 'driver.ts': BOX, 'initial.ts': 'export const initial: number = 2\n' }

test('is read, set and told apart from what it prints', async () => {
  const { instrument: made, log } = await make(good, { gain: 3 })
  const instrument = await made
  try {
    assert.is(instrument.spec.model, 'box')
    await instrument.open(signal)
    assert.is((await instrument.read(['value'], signal)).value?.value, 6)
    await instrument.set('value', 4, signal)
    const { value, environment } = await instrument.read(['value', 'environment'], signal)
    assert.is(value?.value, 12)
    assert.not.match(String(environment?.value), /FERNLAB|NODE_OPTIONS|TOKEN/)
    // What compiled it has ended.
    assert.is((await instrument.read(['children'], signal)).children?.value, '')
  } finally {
    await instrument.close()
  }
  const said = log.lines.map(({ fields }) => (fields as { said?: string }).said)
  assert.ok(said.includes('a library says hello'))
  assert.ok(said.includes('the box is closed'))
})

test('that throws where nobody waits takes itself offline with the reason, and comes back', async () => {
  const instrument = await (await make(good)).instrument
  const told: string[] = []
  let back = () => {}
  const isBack = new Promise<void>((resolve) => {
    back = resolve
  })
  instrument.onConnection?.((up, reason) => {
    told.push(up ? 'up' : `down: ${reason}`)
    if (up) back()
  })
  try {
    await instrument.open(signal)
    await instrument.set('value', 9, signal)
    await instrument.call('explode', {}, signal)
    await isBack
    assert.match(
      told[0] ?? '',
      /^down: the driver \.\/drivers\/box exited with code 1: RangeError: nobody waits for this$/,
    )
    assert.is((await instrument.read(['value'], signal)).value?.value, 2)
  } finally {
    await instrument.close()
  }
})

test('tells that its hardware is away', async () => {
  const instrument = await (await make(good, { how: 'gone' })).instrument
  const told: (string | undefined)[] = []
  let heard = () => {}
  const both = new Promise<void>((resolve) => {
    heard = resolve
  })
  instrument.onConnection?.((up, reason) => {
    told.push(up ? 'up' : reason)
    if (up) heard()
  })
  try {
    await instrument.open(signal)
    const error = await rejection(instrument.read(['value'], signal))
    assert.equal([error.kind, error.message], ['link', 'box-1: the box is away'])
    await instrument.call('lose', {}, signal)
    await both
    assert.equal(told, ['unplugged', 'up'])
  } finally {
    await instrument.close()
  }
})

const wrong: readonly (readonly [string, Readonly<Record<string, string>>, object, RegExp])[] = [
  [
    'with a syntax error',
    { 'driver.ts': 'export default {\n  x: = 1\n}\n' },
    {},
    /^folder: .*driver\.ts:2:6: Unexpected "="/,
  ],
  [
    'without its other file',
    { 'driver.ts': BOX },
    {},
    /^folder: .*driver\.ts:4:25: Could not resolve "\.\/initial\.ts"/,
  ],
  [
    'without a driver',
    { 'driver.ts': 'export const x = 1\n' },
    {},
    /^folder: .*drivers\/box\/driver\.ts exports no driver/,
  ],
  ['without a file', {}, {}, /^folder: .*\.\/drivers\/box has no driver\.ts, driver\.js, driver\.mjs/],
  ['that throws as it is loaded', { 'driver.ts': 'throw new TypeError("not now")\n' }, {}, /^folder: .*not now/],
  ['that throws as it is made', good, { how: 'unmade' }, /^folder: .*no box today/],
  ['with wrong settings', good, { gain: 0, colour: 'green' }, /^settings\.gain: /m],
]

for (const [what, files, settings, expected] of wrong) {
  test(`${what} is refused, and says where`, async () => {
    const error = await rejection((await make(files, settings)).instrument)
    assert.equal([error.code, error.kind], ['driver-config-wrong', 'configuration'])
    assert.match(error.issues.map(({ path, message }) => `${path}: ${message}`).join('\n'), expected)
  })
}

const writable: readonly (readonly [string, (folder: string) => Promise<void>, RegExp])[] = [
  [
    'its file',
    (folder) => chmod(join(folder, 'initial.ts'), 0o666),
    /everybody may write drivers\/box\/initial\.ts, .*chmod o-w /,
  ],
  ['its folder', (folder) => chmod(folder, 0o1777), /everybody may write drivers\/box, /],
  ['the folder above', (folder) => chmod(join(folder, '..'), 0o777), /everybody may write drivers, /],
]

for (const [what, change, expected] of writable) {
  test(`is not run when everybody may write ${what}`, async () => {
    const marked = {
      ...good,
      'driver.ts': `${BOX}\nimport { writeFileSync } from 'node:fs'\nwriteFileSync('ran', '')\n`,
    }
    const { folder, instrument } = await make(marked, {}, change)
    const error = await rejection(instrument)
    assert.match(error.issues[0]?.message ?? '', expected)
    assert.not.ok((await readdir(join(folder, '../..'))).includes('ran'))
  })
}

const STRANGER = 64_321
const outside = { ...good, 'driver.ts': BOX.replace('./initial.ts', '../../common/initial.ts') }
/** Puts a file that a stranger may write where a trusted driver takes it from. */
const strangers: readonly (readonly [string, typeof good, (folder: string) => Promise<void>, RegExp])[] = [
  ['its file', good, (folder) => chown(join(folder, 'driver.ts'), STRANGER, 0), /drivers\/box\/driver\.ts belongs to/],
  ['the folder above', good, (folder) => chown(join(folder, '..'), STRANGER, 0), /drivers belongs to/],
  [
    'a file that it imports from elsewhere',
    outside,
    async (folder) => {
      const common = join(folder, '../../common')
      await mkdir(common)
      await writeFile(join(common, 'initial.ts'), 'export const initial = 2\n')
      await chown(join(common, 'initial.ts'), STRANGER, 0)
    },
    /common\/initial\.ts belongs to/,
  ],
  [
    'a file behind a link to its folder',
    good,
    async (folder) => {
      const real = join(folder, '../../real')
      await rename(folder, real)
      await symlink(real, folder)
      await chown(join(real, 'initial.ts'), STRANGER, 0)
    },
    /real\/initial\.ts belongs to/,
  ],
]

if (process.getuid?.() === 0)
  for (const [what, files, change, expected] of strangers) {
    test(`is not run when an account that the node does not trust owns ${what}`, async () => {
      const error = await rejection((await make(files, {}, change)).instrument)
      assert.match(error.issues[0]?.message ?? '', expected)
      assert.match(error.issues[0]?.message ?? '', /user 64321, .*chown root \//)
    })
  }

if (process.getuid?.() === 0) {
  /** Lets a group write one of its files. */
  const open = (group: number) => async (folder: string) => {
    await chown(join(folder, 'initial.ts'), 0, group)
    await chmod(join(folder, 'initial.ts'), 0o664)
  }
  test('is not run when a group that the node does not trust may write its file', async () => {
    const error = await rejection((await make(good, {}, open(STRANGER))).instrument)
    assert.match(
      error.issues[0]?.message ?? '',
      /whoever is in group 64321 may write drivers\/box\/initial\.ts, .*chmod g-w \//,
    )
  })
  test('is run when the group that may write it may write node.yaml’s folder, and not when that is only of the group', async () => {
    const ofStranger = (mode: number) => async (folder: string) => {
      await open(STRANGER)(folder)
      await chown(join(folder, '../..'), 0, STRANGER)
      await chmod(join(folder, '../..'), mode)
    }
    const error = await rejection((await make(good, {}, ofStranger(0o755))).instrument)
    assert.match(error.issues[0]?.message ?? '', /whoever is in group 64321 may write .* may write node\.yaml's folder/)
    const { instrument } = await make(good, {}, ofStranger(0o775))
    assert.is((await instrument).spec.model, 'box')
    await (await instrument).close()
  })
}

test('behind a link, and with a file from elsewhere, is run when all that is trusted', async () => {
  const { instrument: made } = await make(outside, {}, async (folder) => {
    await mkdir(join(folder, '../../common'))
    await rename(join(folder, 'initial.ts'), join(folder, '../../common/initial.ts'))
    await mkdir(join(folder, '../../real'))
    await rename(folder, join(folder, '../../real/box'))
    await symlink('../real/box', folder)
  })
  const instrument = await made
  assert.is(instrument.spec.model, 'box')
  await instrument.close()
})

test('that is compiled already, with a package beside it, is loaded too', async () => {
  const { folder, instrument: made } = await make(
    {
      'driver.js': `import { driverOf, z } from '@fernlab/driver'
import { half } from 'halves'
export default driverOf({
  kind: 'plain',
  schema: z.strictObject({}),
  create: async (_, { name }) => ({
    spec: { name, driver: 'own', model: 'halves ' + half(3), signals: [], actions: [] },
    open: async () => {}, read: async () => ({}), set: async () => {}, call: async () => {}, close: async () => {},
  }),
})
`,
    },
    {},
    async (at) => {
      await mkdir(join(at, 'node_modules/halves'), { recursive: true })
      await writeFile(join(at, 'node_modules/halves/package.json'), '{"name":"halves","main":"halves.js"}')
      await writeFile(
        join(at, 'node_modules/halves/halves.js'),
        "const os = require('os')\nexports.half = (x) => (os.EOL ? x / 2 : 0)\n",
      )
    },
  )
  assert.ok(folder !== '')
  const instrument = await made
  assert.is(instrument.spec.model, 'halves 1.5')
  await instrument.close()
})

test('may not name a folder of another kind of thing', async () => {
  const driver = createOwnDriver()
  assert.equal(driver.check({ folder: './x', colour: 'green' })[0]?.path, 'colour')
  assert.equal(driver.check({})[0]?.path, 'folder')
})

test('as it is made anew finds its faults: an oven that is silent, and one whose sensor is broken', async () => {
  const node = await mkdtemp(join(scratch, 'node-'))
  const { files } = await newDriver(join(node, 'drivers/box'), 'typescript')
  await mkdir(join(node, 'drivers'))
  await writeNewFolder(join(node, 'drivers/box'), files)
  const broken = await created(node, { emulated: { fault: 'sensor' } }).instrument
  try {
    await broken.open(signal)
    const error = await rejection(broken.read(['temperature'], signal))
    assert.equal([error.kind, /ERR the sensor is broken/.test(error.message)], ['instrument', true])
    assert.is((await broken.read(['power'], signal)).power?.value, 0)
  } finally {
    await broken.close()
  }
  const silent = await created(node, { emulated: { fault: 'silent' } }).instrument
  const error = await rejection(silent.open(signal))
  assert.ok(error instanceof LabError && /\*IDN\?/.test(error.message), error.message)
  await silent.close()
})

test.run()
