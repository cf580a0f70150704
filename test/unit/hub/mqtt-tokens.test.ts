import type { Caller } from '@fernlab/hub/accounts/caller'
import { authenticateMqtt } from '@fernlab/hub/broker/authenticate'
import type { Identity } from '@fernlab/hub/broker/topic-rules'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('tokens that are signed in to the broker')
const caller = (tokenId: string, more: Partial<Caller> = {}): Caller => ({
  personId: 'p',
  name: 'P',
  email: 'p@lab.example',
  role: 'admin',
  scopes: ['mqtt:read', 'admin'],
  via: 'token',
  tokenId,
  ...more,
})

/** A broker that knows who is connected; tokens are called as their ids. */
function start(tokens: Record<string, Caller | Error | undefined>) {
  const clock = new ManualClock()
  const log = recordingLog()
  let connected: Identity[] = []
  let end: (personId: string) => void = () => {}
  const find = async (token: string) => {
    const found = tokens[token]
    if (found instanceof Error) throw found
    return found
  }
  const authentication = authenticateMqtt({
    verifyNode: async () => false,
    verifyToken: find,
    tokenHolder: find,
    onRevoked: () => () => {},
    onEnded: (listener) => {
      end = listener
      return () => {}
    },
    broker: {
      identities: () => connected,
      disconnect: (matches) => {
        connected = connected.filter((who) => !matches(who))
      },
    },
    clock,
    log,
  })
  const connect = async (token: string) => {
    const identity = await authentication.identify('token', token)
    if (identity !== undefined) connected.push(identity)
  }
  const ids = () => connected.map((who) => who.kind === 'integrator' && who.tokenId)
  return { clock, log, connect, ids, end: (personId: string) => end(personId), close: authentication.close }
}

test('one that ends is cut when it ends, also long after it signed in', async () => {
  const tokens: Record<string, Caller> = {}
  const { clock, connect, ids, close } = start(tokens)
  tokens.soon = caller('soon', { tokenExpiresAt: clock.now() + 5_000 })
  tokens.late = caller('late', { tokenExpiresAt: clock.now() + 100 * 86_400_000 })
  tokens.later = caller('later', { tokenExpiresAt: clock.now() + 125_000 })
  for (const token of Object.keys(tokens)) await connect(token)
  await clock.advance(4_999)
  assert.equal(ids(), ['soon', 'late', 'later'])
  await clock.advance(1)
  assert.equal(ids(), ['late', 'later'])
  await clock.advance(119_999)
  assert.equal(ids(), ['late', 'later'])
  await clock.advance(1)
  assert.equal(ids(), ['late'])
  close()
})

test('one with another role or other scopes is cut within a minute; a look-up that fails cuts nobody', async () => {
  const tokens: Record<string, Caller | Error> = {}
  for (const id of ['a', 'b', 'c', 'd']) tokens[id] = caller(id)
  const { clock, log, connect, ids, close } = start(tokens)
  for (const token of Object.keys(tokens)) await connect(token)
  tokens.a = new Error('the disk')
  tokens.b = caller('b', { role: 'student' })
  tokens.c = caller('c', { scopes: ['mqtt:status'] })
  await clock.advance(120_000)
  assert.equal(ids(), ['a', 'd'])
  assert.is(log.lines.filter(({ level }) => level === 'warn').length, 1)
  delete tokens.a
  await clock.advance(60_000)
  assert.equal(ids(), ['d'])
  close()
})

test('another role given here, and a closed account, cut at once whoever has other rights by it', async () => {
  const tokens: Record<string, Caller> = {
    lowered: caller('lowered'),
    other: caller('other', { personId: 'q' }),
    renamed: caller('renamed', { personId: 'r' }),
    closed: caller('closed', { personId: 's' }),
  }
  const { clock, connect, ids, end, close } = start(tokens)
  for (const token of Object.keys(tokens)) await connect(token)
  tokens.lowered = caller('lowered', { role: 'student' })
  tokens.other = caller('other', { personId: 'q', role: 'student' })
  delete tokens.closed
  for (const person of ['p', 'r', 's']) end(person)
  await clock.advance(0)
  assert.equal(ids(), ['other', 'renamed'])
  close()
})

test('with the role goes what only staff and lab builders may make tokens for', async () => {
  const { connect, ids, close } = start({
    instructor: caller('instructor', { role: 'instructor' }),
    builder: caller('builder', { role: 'builder' }),
    student: caller('student', { role: 'student' }),
    guest: caller('guest', { role: 'guest' }),
  })
  for (const token of ['instructor', 'builder', 'student', 'guest']) await connect(token)
  assert.equal(ids(), ['instructor', 'builder'])
  close()
})

test.run()
