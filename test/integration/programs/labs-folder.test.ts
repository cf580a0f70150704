/** A hub that follows a folder of labs, as a process of its own. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { killAll, type Program, startProgram, untilPrinted } from '../../support/programs.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a folder of labs', { timeoutMs: 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-labs-'))
const data = join(folder, 'data')
const lab = join(folder, 'labs', 'rc-circuit')
const yaml = join(lab, 'lab.yaml')
const token = 'an-admin-token-of-32-characters-or-more'
let hub: Program
let http = ''

test.before(async () => {
  cpSync(join(root, 'shared/labs/rc-circuit'), lab, { recursive: true })
  const env = { FERNLAB_DATA: data, FERNLAB_LABS: join(folder, 'labs'), FERNLAB_ADMIN_TOKEN: token }
  hub = startProgram(process.execPath, ['scripts/start/part.mjs', 'hub'], env)
  http = (await untilPrinted(hub, /page {4}(http\S+)/))[1] ?? ''
})
test.after(() => {
  killAll(data)
  rmSync(folder, { recursive: true, force: true })
})

async function catalogued(): Promise<{ title: string; version: number }> {
  const response = await fetch(`${http}/api/v1/labs/rc-circuit`, { headers: { authorization: `Bearer ${token}` } })
  assert.is(response.status, 200)
  return (await response.json()) as { title: string; version: number }
}

const edit = (change: (text: string) => string) => writeFileSync(yaml, change(readFileSync(yaml, 'utf8')))

test('an edited file changes the catalogue', async () => {
  assert.is((await catalogued()).version, 1)
  edit((text) => text.replace(/^title:.*(\n {2}.*)*/m, 'title: Edited'))
  await untilPrinted(hub, /"version":2,"msg":"a lab has a new version"/)
  const { title, version } = await catalogued()
  assert.equal([title, version], ['Edited', 2])
})

test('a broken one keeps the version before, and the log says which file, line and path', async () => {
  edit((text) => `${text}nonsense: 1\n`)
  const line = readFileSync(yaml, 'utf8').trimEnd().split('\n').length
  const [said] = await untilPrinted(hub, /\{.*the lab rc-circuit was not loaded.*\}/)
  assert.match((JSON.parse(said) as { issues: string }).issues, new RegExp(`^lab\\.yaml:${line}:\\d+: nonsense: `))
  assert.is((await catalogued()).version, 2)
  edit((text) => text.replace('nonsense: 1\n', '').replace('title: Edited', 'title: Mended'))
  await untilPrinted(hub, /"version":3,"msg":"a lab has a new version"/)
  assert.is((await catalogued()).title, 'Mended')
})

test.run()
