import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newDriver } from '@fernlab/edge/driver-kit/new-driver'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import * as assert from 'uvu/assert'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the types that a new driver in TypeScript has', { timeoutMs: 120_000 })
let scratch = ''

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fernlab-types-'))
  const { files } = await newDriver(join(scratch, 'oven'), 'typescript')
  await writeNewFolder(join(scratch, 'oven'), files)
  await symlink(join(root, 'node_modules'), join(scratch, 'oven/node_modules'))
})
test.after(() => rm(scratch, { recursive: true, force: true }))

/** What tsc has to say, as a person reads it who types it there. */
async function tsc(...more: string[]): Promise<string> {
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', ...more]
  return await promisify(execFile)(process.execPath, args, { cwd: join(scratch, 'oven') }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

test('are those that it uses', async () => {
  assert.is(await tsc(), '')
})

test('are those of what the node gives it', async () => {
  const host = join(root, 'edge/drivers/own/driver-host.ts')
  const lines = [
    `import * as given from ${JSON.stringify(host)}`,
    "import type * as told from '@fernlab/driver'",
    'export const all: Omit<typeof told, "z"> = given',
    'export const z: typeof told.z = given.z',
    '// @ts-expect-error: it has more than this one',
    'export const none: typeof told = { LabError: given.LabError }',
  ]
  await writeFile(join(scratch, 'oven/given.ts'), `${lines.join('\n')}\n`)
  assert.is(await tsc('--customConditions', 'source'), '')
})

test.run()
