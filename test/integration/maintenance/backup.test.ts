import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Accounts, createAccounts } from '@fernlab/hub/accounts/accounts'
import { createGroups } from '@fernlab/hub/groups/groups'
import { createMail } from '@fernlab/hub/mail/mail'
import { backup } from '@fernlab/hub/maintenance/backup'
import { restore } from '@fernlab/hub/maintenance/restore'
import { openStore, type Store } from '@fernlab/hub/store/store'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments, storeRun, temporaryStore } from '../results/stored-run.ts'

const test = suite('backup and restore', { timeoutMs: 30_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
let accounts: Accounts

const accountsOn = (store: Store, dataFolder: string, withAdmin: boolean) =>
  createAccounts({
    store,
    groups: createGroups({ store, clock: systemClock }),
    mail: createMail({ smtpUrl: undefined }),
    clock: systemClock,
    log: silentLog,
    config: {
      site: 'here',
      publicUrl: () => 'http://127.0.0.1:1',
      secure: false,
      dataFolder,
      ...(withAdmin ? { adminEmail: 'a@b.example', adminPassword: 'a-long-password' } : {}),
    },
  })
const options = (target: string) => ({
  database: opened.store.database,
  hubFolder: opened.folder,
  target,
  version: '0.1.0',
  site: 'here',
  clock: systemClock,
})
const into = (folder: string, from: string, env: Readonly<Record<string, string>> = {}) => ({
  from,
  env: { FERNLAB_DATA: folder, ...env },
  cwd: opened.folder,
})
const refused = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: LabError) => thrown,
  )
  return { code: error?.code, message: error?.message ?? '' }
}

test.before(async () => {
  opened = await temporaryStore()
  accounts = await accountsOn(opened.store, opened.folder, true)
  await writeFile(join(opened.folder, 'settings.json'), '{"site":"here"}\n')
})
test.after(async () => {
  await accounts.close()
  await opened.close()
})

test('a backup taken while runs are written is one moment’s, and works elsewhere', async () => {
  let writing = true
  let written = 0
  const writer = (async () => {
    while (writing) {
      const run = await storeRun(opened.store, { id: `${String(written).padStart(26, '0')}` })
      await storeDocuments(opened.store, [...documentsOf(run, { pages: 1, rowsPerPage: 200 })])
      written++
    }
  })()
  while (written < 5) await new Promise((resolve) => setTimeout(resolve, 5))
  const target = join(opened.folder, 'backup')
  const manifest = await backup(options(target))
  writing = false
  await writer
  assert.equal(Object.keys(manifest.files).sort(), ['hub.db', 'identity.json', 'settings.json'])

  const hubFolder = join(opened.folder, 'elsewhere', 'hub')
  await restore(into('elsewhere', target))
  const store = await openStore({ url: `sqlite:${join(hubFolder, 'hub.db')}`, log: silentLog })
  try {
    const runs = await store.db.selectFrom('run').select('id').execute()
    assert.ok(runs.length >= 5 && runs.length <= written, `${runs.length} of ${written}`)
    const counts = await store.database.read('SELECT run_id, count(*) AS n FROM document GROUP BY run_id HAVING n <> 4')
    assert.ok(counts.length <= 1, 'only the newest run may lack its documents')
    const restored = await accountsOn(store, hubFolder, false)
    assert.not(await restored.setupNeeded(), 'the admin came along')
    await restored.close()
    assert.is(
      await readFile(join(hubFolder, 'identity.json'), 'utf8'),
      await readFile(join(opened.folder, 'identity.json'), 'utf8'),
    )
  } finally {
    await store.close()
  }
})

test('neither goes into a folder that is in use', async () => {
  assert.is((await refused(backup(options(opened.folder)))).code, 'backup-target-used')
  const from = join(opened.folder, 'backup')
  assert.is((await refused(restore(into('elsewhere', from)))).code, 'restore-target-used')
})

test('the database goes where the hub will look for it, and over nothing', async () => {
  const from = join(opened.folder, 'moved')
  await writeFile(join(opened.folder, 'settings.json'), '{"site":"here","databaseUrl":"sqlite:disk/lab.db"}\n')
  await backup(options(from))
  const holds = async (file: string) => {
    const path = join(opened.folder, file)
    const store = await openStore({ url: `sqlite:${path}`, log: silentLog })
    const runs = await store.db.selectFrom('run').select('id').execute()
    await store.close()
    assert.ok(runs.length >= 5, file)
    assert.is(await readFile(`${path}.restoring`).catch(({ code }) => code), 'ENOENT')
  }
  assert.is((await restore(into('by-settings', from))).databaseFile, join(opened.folder, 'disk/lab.db'))
  await holds('disk/lab.db')
  assert.equal((await readdir(join(opened.folder, 'by-settings/hub'))).sort(), ['identity.json', 'settings.json'])

  const taken = await refused(restore(into('second', from)))
  assert.is(taken.code, 'restore-target-used')
  assert.match(taken.message, 'disk/lab.db exists')
  assert.is(await readFile(join(opened.folder, 'second')).catch(({ code }) => code), 'ENOENT')

  await restore(into('by-environment', from, { FERNLAB_DATABASE_URL: 'sqlite:by-environment/hub/other.db' }))
  await holds('by-environment/hub/other.db')
  const unknown = into('third', from, { FERNLAB_DATABASE_URL: 'postgres://x/y' })
  assert.is((await refused(restore(unknown))).code, 'setting-invalid')
  await writeFile(join(opened.folder, 'settings.json'), '{"site":"here"}\n')
})

test('a damaged backup is refused and nothing is put in place', async () => {
  const from = join(opened.folder, 'damaged')
  const hubFolder = join(opened.folder, 'never', 'hub')
  await backup(options(from))
  const attempt = async () => {
    const error = await refused(restore(into('never', from)))
    assert.is(error.code, 'backup-damaged')
    assert.is((await refused(readFile(hubFolder))).code, 'ENOENT')
    return error.message
  }
  const database = await readFile(join(from, 'hub.db'))
  const flipped = Buffer.from(database)
  flipped[5000] = (flipped[5000] ?? 0) ^ 1
  await writeFile(join(from, 'hub.db'), flipped)
  assert.match(await attempt(), 'hub.db has another content')
  await appendFile(join(from, 'hub.db'), 'x')
  assert.match(await attempt(), /hub.db has \d+ bytes instead of/)
  await rm(join(from, 'identity.json'))
  assert.match(await attempt(), 'identity.json is missing')
  await rm(join(from, 'manifest.json'))
  assert.match(await attempt(), 'manifest.json is missing')
})

test('a backup of a newer release names it', async () => {
  const from = join(opened.folder, 'newer')
  await backup(options(from))
  const path = join(from, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(
    path,
    JSON.stringify({ ...manifest, version: '9.0.0', migrations: [...manifest.migrations, '999-later'] }),
  )
  const error = await refused(restore(into('never', from)))
  assert.is(error.code, 'backup-newer')
  assert.match(error.message, '9.0.0')
})

test.run()
