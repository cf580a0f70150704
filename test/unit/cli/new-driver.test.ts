import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@fernlab/edge/config/config'
import { driverLanguages, newDriver } from '@fernlab/edge/driver-kit/new-driver'
import { readTestFile } from '@fernlab/edge/driver-kit/test-file'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a new driver')
const drivers = builtInDrivers()
let scratch = ''

test.before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-driver-'))
})
test.after(() => rmSync(scratch, { recursive: true, force: true }))

for (const language of driverLanguages) {
  test(`in ${language} is whole, and called as its folder`, async () => {
    const folder = join(scratch, `my-${language}`)
    const { name, files } = await newDriver(folder, language)
    assert.is(name, `my-${language}`)
    for (const [path, text] of Object.entries(files)) {
      assert.not.match(text, /new-driver|TODO/, path)
      assert.ok(text.endsWith('\n'), path)
    }
    for (const path of ['README.md', 'driver-test.yaml', 'node.example.yaml']) assert.ok(path in files, path)
    assert.match(files['README.md'] ?? '', /^## Checklist$/m)
    await writeNewFolder(folder, files)
    const { file } = await loadConfig({ file: join(folder, 'node.example.yaml') }, drivers)
    assert.equal(Object.keys(file.instruments), [name])
    assert.equal(file.benches[`${name}-1`]?.safeState, { 'oven.power': 0 })
    assert.equal(Object.keys(await readTestFile(folder, drivers)), ['emulated', 'bench'])
  })
}

test('a folder that is there is left as it is', async () => {
  const folder = join(scratch, 'there')
  mkdirSync(folder)
  const { code, err } = await commandLine(['driver', 'new', folder], { env: {} })
  assert.is(code, 1)
  assert.match(err, /there is there already/)
  assert.equal(readdirSync(folder), [])
})

test('a folder that is no name is refused, and not made', async () => {
  const { code, err } = await commandLine(['driver', 'new', join(scratch, 'My Oven')], { env: {} })
  assert.is(code, 2)
  assert.match(err, /^fernlab: a driver can not be called "My Oven": use lower-case letters/)
  assert.not.ok(readdirSync(scratch).includes('My Oven'))
})

const wrong: readonly (readonly [string, string | undefined, RegExp])[] = [
  ['that is not there', undefined, /driver-test\.yaml is not there: name the folder of one driver/],
  ['without an entry', '{}\n', /must have an entry, such as emulated/],
  [
    'of an unknown driver',
    'emulated: { driver: proces, readable: [a] }\n',
    /emulated\.driver: unknown driver proces.*did you mean.*process/,
  ],
  ['with a wrong config', 'emulated: { driver: process, readable: [a] }\n', /emulated\.config\.command: /],
  [
    'that sets two signals',
    'emulated: { driver: process, config: { command: [x] }, readable: [a], settable: { a: [1, 2], b: [1, 2] } }\n',
    /emulated\.settable: must name one signal/,
  ],
]
for (const [what, text, expected] of wrong) {
  test(`a driver-test.yaml ${what} is refused, and says where`, async () => {
    const folder = mkdtempSync(join(scratch, 'wrong-'))
    if (text !== undefined) writeFileSync(join(folder, 'driver-test.yaml'), text)
    const error = await readTestFile(folder, drivers).then(
      () => undefined,
      (thrown: LabError) => thrown,
    )
    const issues = (error?.issues ?? []).map(({ path, message }) => `${path}: ${message}`)
    assert.match([error?.message, ...issues].join('\n'), expected)
  })
}

test.run()
