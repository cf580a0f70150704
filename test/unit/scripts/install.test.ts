import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeVersionProblem } from 'fernlab/install/node-version.mjs'
import * as assert from 'uvu/assert'
// @ts-expect-error plain JavaScript without declarations
import { fingerprint } from '../../../scripts/build/fingerprint.mjs'
// @ts-expect-error plain JavaScript without declarations
import { missingPackages } from '../../../scripts/install/install.mjs'
import { suite } from '../../support/suite.ts'

const test = suite('what a start installs and builds')
let folder = ''

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'fernlab-install-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const lock = (path: string, packages: object) => writeFileSync(join(folder, path), JSON.stringify({ packages }))

test('everything is missing on a fresh clone, but links and what is optional', () => {
  lock('package-lock.json', {
    '': { version: '1.0.0' },
    hub: { version: '0.1.0' },
    'node_modules/@fernlab/hub': { link: true },
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/serialport': { version: '13.0.0', optional: true },
  })
  assert.equal(missingPackages(folder), ['node_modules/zod'])
})

test('only what is absent or of another version is missing later', () => {
  lock('package-lock.json', {
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/hono': { version: '4.13.19' },
    'hub/node_modules/ws': { version: '8.23.0' },
  })
  mkdirSync(join(folder, 'node_modules'))
  lock('node_modules/.package-lock.json', {
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/hono': { version: '4.13.18' },
  })
  assert.equal(missingPackages(folder), ['node_modules/hono', 'hub/node_modules/ws'])
})

test('a node needs what it and its workspaces depend on, nearest first, and none of the page or of the tools', () => {
  lock('package-lock.json', {
    '': { version: '1.0.0', devDependencies: { knip: '6' } },
    edge: { version: '0.1.0', dependencies: { '@fernlab/shared': '0.1.0' }, devDependencies: { typescript: '6' } },
    shared: { version: '0.1.0', dependencies: { mqtt: '5' }, devDependencies: { ajv: '8' } },
    'node_modules/@fernlab/shared': { link: true, resolved: 'shared' },
    'node_modules/mqtt': { version: '5.0.0', dependencies: { ws: '8' } },
    'node_modules/mqtt/node_modules/ws': { version: '8.0.0' },
    ...Object.fromEntries(
      ['ws', 'react', 'knip', 'ajv', 'typescript'].map((n) => [`node_modules/${n}`, { version: '1' }]),
    ),
  })
  assert.equal(missingPackages(folder, 'edge'), [
    'node_modules/mqtt',
    'node_modules/mqtt/node_modules/ws',
    'node_modules/typescript',
  ])
})

test('a Node that is too old or too new is refused with one line', () => {
  for (const version of ['20.19.0', '20.20.2', '22.1.0', '24.0.0', '26.3.9']) {
    assert.is(nodeVersionProblem(version), undefined, version)
  }
  for (const version of ['18.20.0', '20.18.9', '26.4.0', '27.0.0']) {
    assert.match(nodeVersionProblem(version) ?? '', /^Node [\d.]+ will not do: [^\n]+$/)
  }
})

test('a build is stale when a file that counts is changed, added, removed or renamed', () => {
  const of = () => fingerprint(folder, ['src', 'top.json'], (path: string) => path.endsWith('.ts')) as string
  const seen = new Set<string>()
  const changed = () => {
    const before = seen.size
    seen.add(of())
    return seen.size > before
  }
  mkdirSync(join(folder, 'src/dist'), { recursive: true })
  assert.ok(changed())
  writeFileSync(join(folder, 'src/a.ts'), 'one')
  assert.ok(changed())
  assert.not.ok(changed())
  writeFileSync(join(folder, 'src/a.ts'), 'two')
  assert.ok(changed())
  writeFileSync(join(folder, 'src/b.ts'), 'two')
  assert.ok(changed())
  writeFileSync(join(folder, 'top.json'), '{}')
  assert.ok(changed())
  writeFileSync(join(folder, 'src/readme.md'), 'does not count')
  writeFileSync(join(folder, 'src/dist/a.ts'), 'does not count')
  assert.not.ok(changed())
  rmSync(join(folder, 'src/b.ts'))
  assert.ok(of() !== '' && seen.has(of()) === false)
})

test.run()
