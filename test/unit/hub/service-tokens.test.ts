/** Tokens for services: what is looked at once more before one is given, and how many a person is given. */

import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Caller } from '@fernlab/hub/accounts/caller'
import { createServiceLines } from '@fernlab/hub/directory/service-lines'
import { createServiceTokens, type ServiceTokensOptions } from '@fernlab/hub/directory/service-tokens'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('tokens for services, and the way by the hub')
const staff: Caller = {
  personId: 'ada',
  email: 'ada@lab.example',
  name: 'Ada',
  role: 'instructor',
  language: 'en',
  scopes: 'all',
  via: 'token',
  tokenId: 't',
} as unknown as Caller
const fit = { name: 'fit', state: 'up', tags: [], contract: { kind: 'fit', version: '1.0' } }

/** As a person with `kept` tokens asks; `writing` happens while the token is written. */
function asking({ kept = 0, writing = () => staff }: { kept?: number; writing?: () => Caller | undefined }) {
  const clock = new ManualClock()
  let holder: Caller | undefined = staff
  const ended = { personId: 'ada', expiresAt: Number.POSITIVE_INFINITY, revokedAt: 0 }
  const options = {
    site: 'main',
    store: { db: { insertInto: () => ({ values: () => ({}) }) } },
    holds: { own: () => ({ bench: 'n.b', benchName: 'b', lease: 'session/s/1' }) },
    services: {
      all: () => [{ node: 'n', told: fit, addresses: [], present: true, lastSeenAt: 0 }],
      addressesOf: () => [],
    },
    issued: {
      all: () => Array.from({ length: kept }, () => ended),
      add: async () => {
        await clock.advance(1500)
        holder = writing()
      },
    },
    key: { sign: async () => 'signed' },
    signInHolder: async () => holder,
    clock,
  } as unknown as ServiceTokensOptions
  const give = (lease?: string) => createServiceTokens(options).give(staff, { services: ['n/fit'], lease })
  return { clock, give }
}

test('a session opens nothing but the parts of its bench', async () => {
  assert.is((await rejection(asking({}).give('session/s'))).code, 'not-of-session')
})

test('rights that are lost while a token is written are not given', async () => {
  assert.is((await rejection(asking({ writing: () => ({ ...staff, role: 'student' }) }).give())).code, 'forbidden')
  assert.is((await rejection(asking({ writing: () => undefined }).give())).code, 'token-refused')
  assert.equal((await asking({ writing: () => ({ ...staff, role: 'admin' }) }).give()).rights, [
    'read',
    'use',
    'lock',
    'unlock',
  ])
})

test('an answer says how long its token lasts from now, after what the writing took', async () => {
  const { clock, give } = asking({})
  const { expiresAt, lastsMs } = await give()
  assert.is(lastsMs, Date.parse(expiresAt) - clock.now())
  assert.ok(lastsMs <= 3_600_000 - 1500 && lastsMs > 3_600_000 - 2500, `${lastsMs} ms`)
})

test('who locks and unlocks hundreds of times within an hour is given tokens, up to a bound', async () => {
  assert.is((await asking({ kept: 1999 }).give()).token, 'signed')
  assert.is((await rejection(asking({ kept: 2000 }).give())).code, 'service-tokens-too-many')
})

test('a node whose name begins with a digit is reached by way of the hub', async () => {
  const lines = createServiceLines({
    isOnline: () => false,
    send: () => {},
    onCarried: () => {},
    accounts: { authenticate: async () => staff },
    origins: () => [],
    clock: new ManualClock(),
    log: silentLog,
  })
  const ask = (url: string) => {
    const socket = new PassThrough()
    const request = { url, headers: {}, rawHeaders: [] } as unknown as IncomingMessage
    return { isTaken: lines.upgrade(request, socket, Buffer.alloc(0)), socket }
  }
  const { isTaken, socket } = ask('/api/v1/nodes/3d-lab/services')
  assert.ok(isTaken)
  assert.match(await text(socket), /node-offline/)
  for (const node of ['', '-', '3D', 'a/b', 'a%2fb', 'a'.repeat(64)]) {
    assert.not(ask(`/api/v1/nodes/${node}/services`).isTaken, node)
  }
  lines.close()
})

test.run()
