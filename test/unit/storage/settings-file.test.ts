import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { suite } from '../../support/suite.ts'

const test = suite('settings files')
const folder = mkdtempSync(join(tmpdir(), 'fernlab-settings-'))
let at = 0
const schema = z.strictObject({ count: z.number() })
const open = (path: string, log = recordingLog()) => openSettingsFile({ path, schema, initial: { count: 0 }, log })
const newPath = () => join(folder, `${at++}`, 'settings.json')

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('keeps what was written, for its owner alone', async () => {
  const path = newPath()
  const file = await open(path)
  assert.equal(file.data, { count: 0 })
  await file.update((data) => {
    data.count = 5
  })
  assert.equal((await open(path)).data, { count: 5 })
  assert.is(statSync(path).mode & 0o777, 0o600)
})

test('updates that come together happen one after the other', async () => {
  const path = newPath()
  const file = await open(path)
  await Promise.all(
    Array.from({ length: 20 }, () =>
      file.update((data) => {
        data.count++
      }),
    ),
  )
  assert.equal(JSON.parse(readFileSync(path, 'utf8')), { count: 20 })
})

for (const [what, text] of [
  ['cut off', '{"count": 1'],
  ['empty', ''],
  ['zeroes', '\0\0\0\0'],
] as const) {
  test(`a damaged file (${what}) is replaced by its spare copy, with a warning`, async () => {
    const path = newPath()
    const file = await open(path)
    for (const count of [1, 2]) {
      await file.update((data) => {
        data.count = count
      })
    }
    writeFileSync(path, text)
    const log = recordingLog()
    const again = await open(path, log)
    assert.equal(again.data, { count: 1 })
    assert.is(log.lines.filter(({ level }) => level === 'warn').length, 1)
  })
}

test('a file that a person wrote wrongly is refused with its name and place, whatever the spare copy holds', async () => {
  const path = newPath()
  const file = await open(path)
  for (const count of [1, 2]) {
    await file.update((data) => {
      data.count = count
    })
  }
  writeFileSync(path, '{"count": "many"}')
  const error = await open(path).catch((thrown: unknown) => thrown as LabError)
  assert.instance(error, LabError)
  assert.is((error as LabError).code, 'settings-invalid')
  assert.match((error as LabError).message, /count/)
  assert.is(readFileSync(path, 'utf8'), '{"count": "many"}', 'and left as it was')
})

test('a missing file is read from its spare copy', async () => {
  const path = newPath()
  const file = await open(path)
  await file.update(() => {})
  await file.update((data) => {
    data.count = 3
  })
  rmSync(path)
  assert.equal((await open(path)).data, { count: 0 })
})

test('a damaged file without a spare copy stops with one error that names it', async () => {
  const path = newPath()
  await (await open(path)).update(() => {})
  rmSync(`${path}.bak`, { force: true })
  writeFileSync(path, 'nonsense')
  try {
    await open(path)
    assert.unreachable()
  } catch (error) {
    assert.is((error as LabError).code, 'settings-invalid')
    assert.match((error as LabError).message, path)
  }
})

test.run()
