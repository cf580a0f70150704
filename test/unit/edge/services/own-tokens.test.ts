import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOwnTokens, type OwnTokens } from '@fernlab/edge/services/gate/own-tokens'
import { createServiceKeys } from '@fernlab/edge/services/gate/service-keys'
import { verifyToken } from '@fernlab/edge/services/gate/tokens'
import { openNodeSettings } from '@fernlab/edge/settings/settings'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('tokens that a node signs itself')
let folder: string
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-own-tokens-'))
})
test.after.each(() => rm(folder, { recursive: true }))

const lastYear = Date.UTC(2025, 0, 1)
const claims = (sub: string) => ({ sub, services: ['*'], rights: ['read' as const], lifetimeS: 60 })
/** As they are after a start of the node. */
const open = async () => {
  const settings = await openNodeSettings(folder, silentLog)
  const own = createOwnTokens({ audience: 'site/n1', settings })
  const keys = createServiceKeys({ site: 'site', node: 'n1', settings })
  const sign = async (sub: string, nowMs = lastYear) => verifyToken(await own.sign(claims(sub), nowMs), keys.trusted)
  return { own, sign }
}
const endedOf = (own: OwnTokens, ...tokens: Awaited<ReturnType<typeof verifyToken>>[]) =>
  tokens.map((token) => own.isEnded(token))

test('those of a person are ended so far, whatever the clock says, and stay so over a start', async () => {
  const first = await open()
  // The clock was wrong, and was put right: what is older has the later time.
  const old = await first.sign('ada', lastYear + 1e10)
  const bobs = await first.sign('bob')
  await first.own.end({ people: ['ada'] })
  const later = await first.sign('ada')
  assert.equal(endedOf(first.own, old, bobs, later), [true, false, false])
  const { own, sign } = await open()
  assert.equal(endedOf(own, old, bobs, later, await sign('ada')), [true, false, false, false])
})

test('all are ended together, also those of people whom nobody names, and those of before tokens had numbers', async () => {
  const first = await open()
  const { number: _, ...unnumbered } = await first.sign('cy')
  const adas = await first.sign('ada')
  assert.equal(endedOf(first.own, unnumbered, adas), [false, false])
  await first.own.end({ people: ['cy'] })
  assert.equal(endedOf(first.own, unnumbered, adas), [true, false])
  await first.own.end({ people: 'all' })
  const { own, sign } = await open()
  const anew = await sign('ada')
  assert.equal(endedOf(own, unnumbered, adas, anew), [true, true, false])
  await own.end({ people: ['ada'] })
  assert.equal(endedOf(own, adas, anew, await sign('ada')), [true, true, false])
})

test("a hub's tokens are not the node's to end; tokens that are signed at once have numbers of their own", async () => {
  const { own, sign } = await open()
  const [one, other] = await Promise.all([sign('ada'), sign('ada')])
  assert.equal([one?.number, other?.number].sort(), [1, 2])
  await own.end({ people: 'all' })
  assert.ok(one && other)
  assert.equal(endedOf(own, one, other, { ...one, iss: 'site' }), [true, true, false])
})

test.run()
