import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('fernlab doctor')

test('reports a look that fails beside the others', async () => {
  const hub = createServer((request, response) => {
    response.setHeader('connection', 'close').setHeader('content-type', 'application/json')
    response.end(request.url === '/readyz' ? '{"ready":true,"checks":{"database":{"ok":true}}}' : '{}')
  })
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-doctor-'))
  try {
    const url = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`
    const env = { HOME: folder, FERNLAB_DATA: folder, FERNLAB_HUB: url }
    const { code, out, err } = await commandLine(['doctor'], { env })
    assert.is(code, 1)
    assert.match(out, /^ok +hub's database: ready$/m)
    assert.match(out, /^broken +site: .* answered something else than this fernlab expects/m)
    assert.match(out, /^look +token: none/m)
    assert.match(err, /1 of \d+ checks found something broken/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await new Promise((resolve) => hub.close(resolve))
  }
})

test.run()
