import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRevocations } from '@fernlab/edge/services/gate/revocations'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('what of tokens for services was revoked')

test('single tokens and holds are kept for three hours, people for as long as a token may last, also over a start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-revoked-'))
  try {
    const [hourMs, began] = [3_600_000, Date.UTC(2026, 0, 1)]
    const other = { sub: 'bob', iat: began / 1000 - 60, jti: 'two' }
    const token = { ...other, jti: 'one', hold: { bench: 'b', lease: 'lease' } }
    const first = await openRevocations(folder, silentLog)
    await first.add({ people: ['ada'], holds: ['lease'], tokens: ['one'] }, began)
    await first.add({}, began + 3 * hourMs)
    const again = await openRevocations(folder, silentLog)
    assert.ok(again.has({ ...other, jti: 'one' }))
    assert.ok(again.has({ ...token, jti: 'two' }))
    await again.add({}, began + 3 * hourMs + 1)
    assert.not(again.has(token))
    assert.ok(again.has({ ...other, sub: 'ada' }))
    assert.equal(JSON.parse(await readFile(join(folder, 'revoked.json'), 'utf8')), {
      people: { ada: began },
      holds: {},
      tokens: {},
    })
    await again.add({}, began + 33 * 24 * hourMs)
    assert.not(again.has({ ...other, sub: 'ada' }))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.run()
