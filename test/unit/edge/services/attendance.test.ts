import { Attendance, type Attender } from '@fernlab/edge/services/gate/attendance'
import type { ServiceToken } from '@fernlab/shared/contracts/services'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('who is at a node')

const AWAY_MS = 600_000

function openAttendance() {
  const clock = new ManualClock()
  const told: string[] = []
  /** Of which nothing is kept. */
  const nothing = new Set<string>()
  const [bad, revoked] = [new Set<string>(), new Set<string>()]
  const attendance = new Attendance({
    listener: {
      came: (program) => told.push(`${program} came`),
      left: (program, isOver) => {
        told.push(`${program} left${isOver ? ' for good' : ''}`)
        return isOver || nothing.has(program) ? 0 : AWAY_MS
      },
      holdCame: ({ lease }) => told.push(`${lease} came`),
      holdLeft: ({ lease }, graceMs) => told.push(`${lease} left for ${graceMs}`),
    },
    isGood: ({ jti }) => !bad.has(jti) && !revoked.has(jti),
    isRevoked: ({ jti }) => revoked.has(jti),
    clock,
  })
  return { clock, told, bad, revoked, attendance, nothing }
}

const token = (jti: string) => ({ jti }) as ServiceToken
const link = (program: string, jti?: string, more: Partial<Attender> = {}) => ({
  person: 'ada',
  program,
  hold: undefined,
  graceMs: 0,
  token: jti === undefined ? undefined : token(jti),
  isOver: false,
  ...more,
})

test('says how many links a person has, by whatever programs, each once', () => {
  const { attendance, told } = openAttendance()
  const [first, second] = [link('p', 't'), link('q', 't')]
  for (const one of [first, second, first]) attendance.enter(one)
  assert.is(attendance.linksOf('ada'), 2)
  attendance.leave(first)
  attendance.leave(first)
  attendance.leave(link('p', 't')) // it had not signed in
  assert.is(attendance.linksOf('ada'), 1)
  attendance.leave(second)
  assert.is(attendance.linksOf('ada'), 0)
  assert.equal(told, ['p came', 'q came', 'p left', 'q left'])
})

test('a link that signs in as another program leaves that as a link that has gone', () => {
  const { attendance, told, revoked } = openAttendance()
  const one = { ...link('p', 't') }
  attendance.enter(one)
  one.program = 'q'
  attendance.enter(one)
  assert.equal(told, ['p came', 'q came', 'p left'])
  revoked.add('t')
  attendance.endRevoked()
  assert.equal(told.slice(3), ['p left for good'], 'q has a link, which is ended by itself')
})

test('a program is gone for good with the last of its tokens, and not with that of its last link', () => {
  const { attendance, told, bad } = openAttendance()
  const [broken, ending] = [link('p', 'services'), { ...link('p', 'hold') }]
  attendance.enter(broken)
  attendance.enter(ending)
  attendance.leave(broken)
  ending.isOver = true
  bad.add('hold')
  attendance.leave(ending)
  assert.equal(told, ['p came', 'p left'])
  // It came back by a link of another hold, which ends too, and what had broken is not there yet.
  const again = link('p', 'hold', { isOver: true })
  attendance.enter(again)
  attendance.leave(again)
  assert.equal(told.slice(2), ['p came', 'p left'])
  // Now that token has run out as well.
  attendance.enter(again)
  bad.add('services')
  attendance.leave(again)
  assert.equal(told.slice(4), ['p came', 'p left for good'])
})

test('a program is let in again by what its one link showed before the token that has ended', () => {
  const { attendance, told, bad, revoked } = openAttendance()
  const one = { ...link('p', 'plain') }
  attendance.enter(one)
  one.token = token('hold')
  attendance.enter(one)
  one.isOver = true
  bad.add('hold')
  attendance.leave(one)
  assert.equal(told, ['p came', 'p left'])
  revoked.add('plain')
  attendance.endRevoked()
  assert.equal(told.slice(2), ['p left for good'])
  // Of renewed ones, those that have run out are none.
  const renewing = { ...link('q', 'first') }
  attendance.enter(renewing)
  bad.add('first')
  renewing.token = token('second')
  attendance.enter(renewing)
  bad.add('second')
  attendance.leave(renewing)
  assert.equal(told.slice(3), ['q came', 'q left for good'])
})

test('a program that has shown a token that is not revoked is waited for, and the owner of the machine always', () => {
  const { attendance, told, revoked } = openAttendance()
  const links = [link('two', 'a'), link('two', 'b'), link('one', 'a'), link('local')]
  for (const one of links) attendance.enter(one)
  for (const one of links) attendance.leave(one)
  revoked.add('a')
  attendance.endRevoked()
  assert.equal(told.slice(6), ['one left for good'])
  revoked.add('b')
  attendance.endRevoked()
  attendance.endRevoked()
  assert.equal(told.slice(7), ['two left for good'])
})

test('a program of which one token is revoked and the others have run out is gone for good', () => {
  const { attendance, told, bad, revoked } = openAttendance()
  const links = [link('both', 'short'), link('both', 'a'), link('ran-out', 'short')]
  for (const one of links) attendance.enter(one)
  for (const one of links) attendance.leave(one)
  bad.add('short')
  attendance.endRevoked()
  assert.equal(told.slice(4), [], 'a token that has run out takes back nothing of the grace')
  revoked.add('a')
  attendance.endRevoked()
  assert.equal(told.slice(4), ['both left for good'])
})

test('who has been away for longer than anything is kept is forgotten', async () => {
  const { attendance, told, revoked, clock } = openAttendance()
  for (const program of ['early', 'late']) {
    const one = link(program, 't')
    attendance.enter(one)
    attendance.leave(one)
    await clock.advance(AWAY_MS / 2 + 1)
  }
  revoked.add('t')
  attendance.endRevoked()
  assert.equal(told.slice(4), ['late left for good'])
})

test('a hold is there with its first link until its last, and goes with what that one says', () => {
  const { attendance, told } = openAttendance()
  const hold = { bench: 'b', lease: 'l1' }
  const [first, second] = [{ ...link('p', 't', { hold, graceMs: 3 }) }, { ...link('p', 't', { hold, graceMs: 5 }) }]
  attendance.enter(first)
  attendance.enter(second)
  attendance.leave(first)
  second.hold = undefined
  second.graceMs = 7
  attendance.enter(second)
  assert.equal(told, ['p came', 'l1 came', 'l1 left for 7'])
})

test('a program of which nothing is kept is not remembered, however many of them come', () => {
  const { attendance, nothing } = openAttendance()
  for (let n = 0; n < 1000; n++) {
    const one = link(`p${n}`, 't')
    if (n > 0) nothing.add(one.program)
    attendance.enter(one)
    attendance.leave(one)
  }
  assert.is(attendance.away, 1)
})

test('a person leaves no more behind than so much, however many of their programs keep something', () => {
  const { attendance, told, revoked } = openAttendance()
  const leave = (program: string, person: string) => {
    const one = link(program, person, { person })
    attendance.enter(one)
    attendance.leave(one)
  }
  leave('of another', 'bob')
  for (let n = 0; n < 1000; n++) leave(`p${n}`, 'ada')
  assert.is(attendance.away, 257)
  told.length = 0
  revoked.add('ada')
  revoked.add('bob')
  attendance.endRevoked()
  assert.equal(
    told.slice(0, 2),
    ['of another left for good', 'p744 left for good'],
    'the oldest of the same person went',
  )
})

test.run()
