import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { root, sourceFiles } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('the repository is laid out as ARCHITECTURE.md says')

const folders = ['docs', 'edge', 'firmware-bridge', 'hub', 'scripts', 'shared', 'test']
const files = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'biome.json',
  'knip.json',
  'package-lock.json',
  'package.json',
  'tsconfig.base.json',
  'tsconfig.json',
]
/** Made by use, never part of the repository. */
const local = new Set(['node_modules', 'data', 'coverage', 'dist'])
const pure = ['shared/primitives', 'shared/contracts', 'shared/protocol', 'shared/capabilities', 'shared/calibration']

test('top-level names are fixed', () => {
  const entries = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => !entry.name.startsWith('.') && !local.has(entry.name),
  )
  const names = (isFolder: boolean) =>
    entries
      .filter((entry) => entry.isDirectory() === isFolder)
      .map((entry) => entry.name)
      .sort()
  assert.equal(names(true), folders)
  assert.equal(names(false), files.toSorted())
})

test('each top folder says what it is for', () => {
  for (const folder of folders) {
    const readme = readFileSync(join(root, folder, 'README.md'), 'utf8')
    assert.ok(readme.length > 200, `${folder}/README.md says too little`)
    assert.ok(readme.split('\n').length <= 70, `${folder}/README.md is longer than a page`)
  }
})

test('topics are spelled in one file', () => {
  const spelled = ['shared', 'firmware-bridge', 'edge', 'hub', 'scripts']
    .flatMap(sourceFiles)
    .filter((file) => file.path !== 'shared/contracts/topics.ts')
    .filter((file) =>
      /['"`]fernlab\/v1|['"`/]nodes\/(\$\{[^}]*\}|\+|#)\/(sync|status|health|benches|instruments)/.test(file.text),
    )
    .map((file) => file.path)
  assert.equal(spelled, [])
})

test('no module of the product writes to the console', () => {
  const writers = ['shared', 'firmware-bridge', 'edge', 'hub']
    .flatMap(sourceFiles)
    .filter((file) => /\bconsole\.(log|info|warn|error|debug)\(/.test(file.text))
    .map((file) => file.path)
  assert.equal(writers, [])
})

test('errors are LabErrors', () => {
  const plain = [...pure, 'firmware-bridge', 'edge', 'hub']
    .flatMap(sourceFiles)
    .filter((file) => !file.path.startsWith('hub/web/') && /throw new (Error|TypeError|RangeError)\(/.test(file.text))
    .map((file) => file.path)
  assert.equal(plain, [])
})

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))
const skips = readJson('test/support/skips.json') as { file: string; test: string; reason: string }[]

test('every listed skip names a file that is there, or how the paths of several begin', () => {
  const known = sourceFiles('test').map((file) => file.path)
  const lost = skips.filter((skip) =>
    skip.test === '(file)' ? !known.some((path) => path.startsWith(skip.file)) : !known.includes(skip.file),
  )
  assert.equal(lost, [])
})

test('every Debian package that tests need is listed where they are skipped without it, and no other', () => {
  const packages = readJson('scripts/test/debian.json') as Record<string, { for: string[] }>
  const needed = Object.entries(packages).flatMap(([name, need]) => need.for.map((file) => `${file}: needs ${name}`))
  const listed = skips.filter((skip) => skip.test === '(file)').map(({ file, reason }) => `${file}: ${reason}`)
  assert.equal(listed.sort(), needed.sort())
})

test.run()
