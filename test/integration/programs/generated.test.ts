/** The part of `npm run check` that finds stale generated files, in a copy of the project that has some. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { cloneProject } from '../../support/clone.ts'
import { runCommand } from '../../support/command.ts'
import { suite } from '../../support/suite.ts'

const test = suite('generated files', { timeoutMs: 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-generated-test-'))
const clone = join(folder, 'clone')
const node = (script: string) => runCommand(process.execPath, [script], { cwd: clone })

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('each that is stale is named, and npm run generate makes all of them fresh', async () => {
  cloneProject(clone)
  const files = [
    'docs/asyncapi.json',
    'docs/commands.md',
    'docs/errors.md',
    'docs/openapi.json',
    'shared/schemas/lab.json',
    'shared/schemas/node.json',
    'shared/schemas/protocol.json',
  ]
  for (const path of files) appendFileSync(join(clone, path), '\n')
  const stale = await node('scripts/check/generated.mjs')
  assert.is(stale.code, 1)
  assert.equal(
    stale.err.trim().split('\n').sort(),
    files.map((path) => `${path} is stale: npm run generate`),
  )
  assert.is((await node('scripts/generate/generate.mjs')).code, 0)
  const fresh = await node('scripts/check/generated.mjs')
  assert.is(fresh.code, 0, fresh.err)
})

test.run()
