import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { fernlab } from '../../support/command.ts'
import { ctrlC, fernlabOnTerminal } from '../../support/pty.ts'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('fernlab user import', { timeoutMs: 120_000 })
const MANY = 50_000
const folder = mkdtempSync(join(tmpdir(), 'fernlab-import-'))
const file = join(folder, 'class.csv')
let hub: ServedHub
let env: Record<string, string | undefined>

test.before(async () => {
  const lines = Array.from({ length: MANY }, (_, n) => `P${n};p${n}@school.example`)
  writeFileSync(file, Buffer.from(`\ufeffname;email\r\n${lines.join('\r\n')}\r\n`, 'utf16le'))
  hub = await serveHub()
  const { token } = (await hub.person('admin', ['admin'])).token
  env = { ...process.env, HOME: folder, FERNLAB_HUB: hub.url, FERNLAB_TOKEN: token }
})
test.after(async () => {
  await hub.close()
  rmSync(folder, { recursive: true })
})

const count = async () => (await hub.store.db.selectFrom('user').select('id').execute()).length

test('a terminal shows how far it is, and Ctrl-C stops it: nobody was made', async () => {
  const before = await count()
  const on = fernlabOnTerminal(['user', 'import', file], env)
  await on.until(/sending the list/)
  await on.until(/reading the list|looking for those|writing/)
  on.type(ctrlC)
  await on.until(/stopped; nobody was made/)
  assert.is(await on.ended, 130)
  assert.is(await count(), before)
})

test('piped, it shows no progress; a preview is bounded, and all links are printed', async () => {
  const before = await count()
  const looked = await fernlab(['user', 'import', file, '--preview'], { env })
  assert.is(looked.code, 0, looked.err)
  assert.is(looked.out.trimEnd().split('\n').length, 501)
  assert.is(looked.err, `… and ${MANY - 500} more.\n${MANY} would be made, 0 were here already.\n`)
  const made = await fernlab(['user', 'import', file], { env })
  assert.is(made.code, 0, made.err)
  const links = made.out
    .trimEnd()
    .split('\n')
    .filter((line) => line.includes('/reset#token='))
  assert.is(links.length, MANY)
  assert.match(made.err, /^50000 made, 0 were here already\. Give each their link/)
  assert.is(await count(), before + MANY)
})

test.run()
