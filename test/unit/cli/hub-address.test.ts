import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findHub, hubAddress } from 'fernlab/cli/hub-address'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('which hub the command line speaks to, and as whom')
const folder = mkdtempSync(join(tmpdir(), 'fernlab-address-'))
const env = { HOME: folder, XDG_CONFIG_HOME: folder, FERNLAB_DATA: folder, FERNLAB_ADMIN_TOKEN: 'admin' }
writeFileSync(join(folder, 'endpoints.json'), '{ "http": "http://10.0.0.7:8080" }')

test.after(() => rmSync(folder, { recursive: true, force: true }))

for (const hub of [
  'http://10.0.0.7:8080',
  'http://127.0.0.1:9',
  'http://[::1]:9',
  'http://localhost:9',
  'https://lab.example',
]) {
  test(`FERNLAB_ADMIN_TOKEN goes to ${hub}`, async () => {
    assert.equal(await findHub(env, { hub }), { url: hub, token: 'admin' })
  })
}

test('FERNLAB_ADMIN_TOKEN does not go elsewhere over plain http; a token of one’s own does', async () => {
  const hub = 'http://lab.example'
  const refusal = await findHub(env, { hub }).then(
    () => 'sent',
    (error: Error) => error.message,
  )
  assert.match(refusal, /^FERNLAB_ADMIN_TOKEN is not sent to http:\/\/lab\.example, /)
  assert.equal(await findHub(env, { hub, token: 'own' }), { url: hub, token: 'own' })
  assert.equal(await findHub({ ...env, FERNLAB_TOKEN: 'own' }, { hub }), { url: hub, token: 'own' })
  assert.is(await hubAddress(env, { hub }), hub)
})

test.run()
