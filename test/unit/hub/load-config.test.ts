import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@fernlab/hub/config/load-config'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the hub’s settings file')
const folder = mkdtempSync(join(tmpdir(), 'fernlab-config-'))
const path = join(folder, 'hub', 'settings.json')
const load = () => loadConfig({ FERNLAB_DATA: folder }, folder, silentLog)

test.after(() => rmSync(folder, { recursive: true, force: true }))

test('is made at the first start, obeyed when edited, and left alone by further starts', async () => {
  await load()
  writeFileSync(path, '{ "port": 8123 }\n')
  assert.is((await load()).port, 8123)
  assert.is((await load()).port, 8123)
  assert.is(readFileSync(path, 'utf8'), '{ "port": 8123 }\n')
})

test('a setting that is written wrongly stops the start, also after several good ones', async () => {
  writeFileSync(path, '{ "prot": 9000 }\n')
  const message = await load().then(
    () => 'started',
    (error: Error) => error.message,
  )
  assert.match(message, /settings\.json/)
  assert.match(message, /prot/)
  assert.not.match(message, /\n/)
})

test.run()
