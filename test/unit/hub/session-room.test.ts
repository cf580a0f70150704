import { createRoom, type Viewer } from '@fernlab/hub/sessions/room'
import { afterCommands, newSession, restFrom } from '@fernlab/hub/sessions/stage'
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import { WAS_STOPPED } from '@fernlab/shared/contracts/session-columns'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('who is on a session')

const ada = { id: 'ada', name: 'Ada' }
const ben = { id: 'ben', name: 'Ben' }

interface FakeViewer extends Viewer {
  backlog: number
  readonly got: { method: string; params: { samples: Record<string, { values: number[] }> } }[]
  dropped: boolean
}

const viewer = (person = ben, place: Viewer['place'] = 'partner'): FakeViewer => {
  const made: FakeViewer = {
    person,
    place,
    backlog: 0,
    got: [],
    dropped: false,
    send: (text) => void made.got.push(JSON.parse(text)),
    drop: () => {
      made.dropped = true
    },
  }
  return made
}
const sample = (value: number) => ({
  'dmm.voltage': { unit: 'V', time: [value, value + 0.5], values: [value, value + 0.5] },
})
const valuesOf = ({ got }: FakeViewer) =>
  got.filter(({ method }) => method === 'samples').map(({ params }) => params.samples['dmm.voltage']?.values)
const codeOf = (work: () => void): string => {
  try {
    work()
    return ''
  } catch (error) {
    return error instanceof LabError ? error.code : String(error)
  }
}

test('a viewer who takes too little gets the newest values alone, and nobody waits', () => {
  const room = createRoom(ada)
  const [quick, slow] = [viewer(ada, 'owner'), viewer()]
  room.enter(quick)
  room.enter(slow)
  room.samples(sample(1), 60)
  slow.backlog = 100_000
  room.samples(sample(2), 59)
  room.samples(sample(3), 58)
  assert.equal(valuesOf(quick), [
    [1, 1.5],
    [2, 2.5],
    [3, 3.5],
  ])
  assert.equal(valuesOf(slow), [[1, 1.5]])
  slow.backlog = 0
  room.samples(sample(4), 57)
  assert.equal(valuesOf(slow), [[1, 1.5], [4.5]])
  room.samples(sample(5), 56)
  assert.equal(valuesOf(slow).at(-1), [5, 5.5])
})

test('one who takes nothing at all is dropped, and the others are told everything', () => {
  const room = createRoom(ada)
  const [quick, stuck] = [viewer(ada, 'owner'), viewer()]
  room.enter(quick)
  room.enter(stuck)
  stuck.backlog = 2_000_000
  room.tell('chat', { id: '1', from: ada, text: 'hello', at: '2026-01-01T00:00:00.000Z' })
  assert.is(stuck.dropped, true)
  assert.is(
    stuck.got.some(({ method }) => method === 'chat'),
    false,
  )
  assert.is(
    quick.got.some(({ method }) => method === 'chat'),
    true,
  )
})

test('who asks and takes no answers is dropped too: what waits for one viewer has a bound', () => {
  const room = createRoom(ada)
  const stuck = viewer()
  room.enter(stuck)
  room.answer(stuck, '{"jsonrpc":"2.0","id":1,"result":null}')
  assert.is(stuck.got.length, 2)
  stuck.backlog = 2_000_000
  room.answer(stuck, '{"jsonrpc":"2.0","id":2,"result":null}')
  assert.is(stuck.dropped, true)
  assert.is(stuck.got.length, 2)
})

test('one hand has the controls: given by it or the owner, to somebody who takes part and is here', () => {
  const room = createRoom(ada)
  const [hers, his, watching] = [viewer(ada, 'owner'), viewer(), viewer({ id: 'eve', name: 'Eve' }, 'observer')]
  room.enter(hers)
  assert.is(
    codeOf(() => room.giveControl(ada, 'ben')),
    'person-not-here',
  )
  room.enter(his)
  room.enter(watching)
  assert.is(
    codeOf(() => room.requireControl(ben)),
    'not-in-control',
  )
  assert.is(
    codeOf(() => room.giveControl(ben, 'ben')),
    'not-in-control',
  )
  assert.is(
    codeOf(() => room.giveControl(ada, 'eve')),
    'person-not-here',
  )
  room.giveControl(ada, 'ben')
  assert.is(
    codeOf(() => room.requireControl(ada)),
    'not-in-control',
  )
  assert.is(
    codeOf(() => room.requireControl(ben)),
    '',
  )
  const second = viewer()
  room.enter(second)
  room.leave(his)
  assert.is(room.control.id, 'ben', 'he is here on another connection')
  room.leave(second)
  assert.is(room.control.id, 'ada')
})

const page = (rows: [number, string, unknown][]): EventPageDoc => ({
  stream: 'commands',
  first: 0,
  count: rows.length,
  time: Float64Array.from(rows.map(([time]) => time)),
  columns: { what: rows.map(([, what]) => what), value: rows.map(([, , value]) => JSON.stringify(value)) },
})
const ms = (seconds: number) => seconds * 1000
const active = afterCommands(newSession(60), page([[100, 'begin', 60]]), ms)

test('commands tell the stage and the end, and an extension moves it', () => {
  assert.equal(active, { stage: 'active', seconds: 60, activeAt: 100_000, endsAt: 160_000 })
  const extended = afterCommands(
    active,
    page([
      [110, 'set', 1],
      [120, 'extend', 90],
    ]),
    ms,
  )
  assert.equal([extended.seconds, extended.endsAt], [90, 190_000])
  const over = afterCommands(extended, page([[190, 'end', 'its time was over']]), ms)
  assert.equal([over.stage, over.endsAt], ['finishing', null])
})

test('an end before its start: it was never active, and nothing of it is left', () => {
  for (const why of [WAS_STOPPED, 'it was finished']) {
    const ended = afterCommands(newSession(60), page([[90, 'end', why]]), ms)
    assert.equal([ended.stage, ended.activeAt, restFrom(ended, 90_000)], ['finishing', null, 0])
  }
})

test('what something else stopped still has its time, what its person finished has none', () => {
  const stopped = afterCommands(active, page([[130, 'end', WAS_STOPPED]]), ms)
  assert.equal([stopped.stage, stopped.endsAt], ['finishing', 160_000])
  assert.equal([restFrom(stopped, 130_000), restFrom(stopped, 130_001)], [30, 0], 'half a minute is worth a session')
  assert.is(restFrom(stopped, 50_000), 60, 'never more than it was')
  const finished = afterCommands(active, page([[130, 'finish', '']]), ms)
  assert.equal([finished.stage, restFrom(finished, 130_000)], ['active', 0])
  assert.is(restFrom(newSession(60), 0), 0)
})

test.run()
