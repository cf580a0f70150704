import { checkDocuments } from '@fernlab/hub/ingest/check-documents'
import { judgeStop, MOST_RESTARTS } from '@fernlab/hub/ingest/judge-stop'
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('documents at the boundary')
const key = { runId: 'r', attempt: 1, seq: 2 }
const page = {
  stream: 'primary',
  first: 0,
  count: 2,
  time: Float64Array.of(1, 2),
  columns: { 'box.value': Float64Array.of(5, 6), mode: ['a', null] },
}
const one = (doc: unknown) => checkDocuments({ documents: [{ ...key, name: 'event_page', doc }] })[0]

test('a good page passes untouched', () => {
  assert.is((one(page) as { doc: unknown }).doc, page)
})

const damaged: [what: string, doc: unknown, why: RegExp][] = [
  ['no document', null, /must be an object/],
  ['a time that is too short', { ...page, time: Float64Array.of(1) }, /time: has 1 values for 2 rows/],
  ['a time of NaN', { ...page, time: Float64Array.of(Number.NaN, 2) }, /time\[0\]: must be finite/],
  ['a column that is too long', { ...page, columns: { a: new Float64Array(3) } }, /columns\.a: has 3 values/],
  ['a column of objects', { ...page, columns: { a: [{}, {}] } }, /columns\.a: must hold text/],
  ['a column of numbers as a plain list', { ...page, columns: { a: [1, 2] } }, /columns\.a: must hold text/],
  ['a column that is none', { ...page, columns: { a: null } }, /columns\.a: must be/],
  ['a negative count', { ...page, count: -1 }, /count: must be a count/],
  ['half a row', { ...page, first: 0.5 }, /first: must be a count/],
]
for (const [what, doc, why] of damaged) {
  test(`${what} is damaged, with its path`, () => {
    const checked = one(doc)
    assert.is(checked?.name, 'unreadable')
    assert.match((checked as { why: string }).why, why)
    assert.is(checked?.runId, 'r')
  })
}

test('a stop that is not of its schema is damaged', () => {
  const [checked] = checkDocuments({ documents: [{ ...key, name: 'stop', doc: { state: 'sleepy' } }] })
  assert.is(checked?.name, 'unreadable')
})

test('a message that is no list of keyed things is refused as a whole', () => {
  for (const message of [null, {}, { documents: 'x' }, { documents: [null] }, { documents: [{ runId: 'r' }] }]) {
    assert.throws(() => checkDocuments(message), /documents/)
  }
})

const stop: StopDoc = {
  time: 1,
  state: 'succeeded',
  reason: 'done',
  outputs: {},
  missingOutputs: {},
  rows: { primary: 2 },
  documents: 3,
  safeState: { reached: true },
}
const run = {
  restart: 'never' as const,
  restarts: 0,
  cancelRequested: false,
  session: undefined,
  booking: null,
  unready: [],
}
const hold = { rows: { primary: 2 }, nextSeq: 4, bench: 'n.a' }
const judge = (
  of: Parameters<typeof judgeStop>[0],
  here: Parameters<typeof judgeStop>[1],
  doc: StopDoc,
  hasOther = false,
) => judgeStop(of, here, doc, { atMs: 0, bookingS: undefined, hasOther })

test('a stop whose counts are met ends the run as it says', () => {
  const verdict = judge(run, hold, stop)
  assert.is(verdict.kind === 'final' && verdict.outcome.state, 'succeeded')
})

test('missing rows and missing documents are told, and fail the run', () => {
  for (const [here, why] of [
    [{ ...hold, rows: { primary: 1 } }, 'the node counted 2 rows in primary, 1 arrived'],
    [{ ...hold, rows: {} }, 'the node counted 2 rows in primary, 0 arrived'],
    [{ ...hold, rows: { primary: 2, more: 1 } }, 'the node counted 0 rows in more, 1 arrived'],
    [{ ...hold, nextSeq: 3 }, 'the node counted 3 documents before the end, 2 arrived'],
  ] as const) {
    const verdict = judge(run, here, stop)
    assert.is(verdict.kind === 'final' && verdict.outcome.state, 'failed')
    assert.is(verdict.kind === 'final' && verdict.outcome.reason, why)
  }
})

test('an interrupted run starts again where that is safe, three attempts in all', () => {
  const cut = { ...stop, state: 'interrupted' as const }
  assert.is(judge({ ...run, restart: 'safe' }, hold, cut).kind, 'again')
  assert.is(judge(run, hold, cut).kind, 'final')
  assert.is(judge({ ...run, restart: 'safe', restarts: MOST_RESTARTS }, hold, cut).kind, 'final')
  const cancelled = judge({ ...run, restart: 'safe', cancelRequested: true }, hold, cut)
  assert.is(cancelled.kind === 'final' && cancelled.outcome.state, 'cancelled')
})

const lost = {
  ...stop,
  state: 'failed' as const,
  reason: 'psu was lost during the run: unplugged',
  error: { code: 'instrument-lost', kind: 'instrument', retry: 'later', message: 'lost', studentMessage: 'Lost.' },
} as StopDoc

test('a bench that broke down sends its person back to the head of the queue with an apology, three attempts in all', () => {
  const again = judge({ ...run, restart: 'safe' }, hold, lost)
  assert.is(again.kind === 'again' && again.why, 'broken')
  assert.is(
    again.kind === 'again' && again.reason,
    'we are sorry: the bench broke down (psu was lost during the run: unplugged); you are back at the head of the queue',
  )
  assert.is(judge(run, hold, lost).kind, 'final', 'what must not be repeated is not')
  assert.is(judge({ ...run, restart: 'safe', restarts: MOST_RESTARTS }, hold, lost).kind, 'final')
  assert.is(judge({ ...run, restart: 'safe', cancelRequested: true }, hold, lost).kind, 'final')
  const refused = { ...lost, error: { ...lost.error, code: 'instrument-refused' } } as StopDoc
  assert.is(judge({ ...run, restart: 'safe' }, hold, refused).kind, 'final', 'what it was asked is not the bench’s')
})

test('a session that was being prepared waits again, an active one ends with an apology', () => {
  const session = { stage: 'preparing' as const, seconds: 60, activeAt: null, endsAt: null }
  assert.is(judge({ ...run, session }, hold, lost).kind, 'again')
  assert.is(judge({ ...run, session }, hold, { ...stop, state: 'interrupted' }).kind, 'again')
  const active = judge({ ...run, session: { ...session, stage: 'active' } }, hold, lost)
  assert.is(
    active.kind === 'final' && active.outcome.reason,
    'we are sorry: the bench broke down (psu was lost during the run: unplugged); what was recorded is kept, and you may ask for the lab again',
  )
})

test('an active session whose bench broke down, or whose node did not end it, has its rest; a booked one on another bench', () => {
  const session = { stage: 'finishing' as const, seconds: 60, activeAt: 0, endsAt: 60_000 }
  const restOf = (of: object, doc: StopDoc, when: object = {}) => {
    const given = { atMs: 20_000, bookingS: undefined, hasOther: false, ...when }
    const verdict = judgeStop({ ...run, session, ...of }, hold, doc, given)
    return verdict.kind === 'final' ? verdict.outcome.rest : 'again'
  }
  const cut = { ...stop, state: 'interrupted' as const }
  assert.equal(restOf({}, lost), { seconds: 40, from: 'queue' })
  assert.equal(restOf({}, cut), { seconds: 40, from: 'queue' })
  for (const doc of [lost, cut]) {
    assert.is(restOf({ cancelRequested: true }, doc), undefined)
    assert.is(restOf({ session: { ...session, endsAt: null } }, doc), undefined, 'its person had ended it')
    assert.is(restOf({}, doc, { atMs: 31_000 }), undefined, 'as good as over')
    assert.equal(restOf({}, doc, { bookingS: 35, hasOther: true }), { seconds: 35, from: 'booking' })
    assert.is(restOf({}, doc, { bookingS: 0, hasOther: true }), undefined, 'the booking is over')
  }
  assert.is(restOf({}, lost, { bookingS: 35 }), undefined, 'no other bench')
  assert.equal(restOf({}, cut, { bookingS: 35 }), { seconds: 35, from: 'booking' }, 'its own bench comes back')
  assert.is(restOf({}, { ...lost, error: { ...lost.error, code: 'instrument-refused' } } as StopDoc), undefined)
  assert.is(restOf({ session: undefined }, cut), undefined)
})

test('a booked bench that could not be made ready is changed for another, three attempts in all', () => {
  const session = { stage: 'preparing' as const, seconds: 60, activeAt: null, endsAt: null }
  const booked = { ...run, booking: 'b', session }
  const failed = { ...stop, state: 'failed' as const, reason: 'step 1: no answer' }
  const reasonOf = (verdict: ReturnType<typeof judge>) =>
    verdict.kind === 'again' ? verdict.reason : verdict.outcome.reason
  const again = judge(booked, hold, failed, true)
  assert.is(again.kind === 'again' && again.why, 'unready')
  assert.is(reasonOf(again), 'we are sorry: n.a could not be made ready (step 1: no answer); you get another bench')
  const last = judge({ ...booked, unready: ['n.b', 'n.c'] }, hold, failed, false)
  assert.is(last.kind, 'final')
  assert.is(
    reasonOf(last),
    'we are sorry: n.b, n.c and n.a could not be made ready (step 1: no answer), and no other bench is left',
  )
  assert.is(judge({ ...booked, restarts: MOST_RESTARTS }, hold, failed, true).kind, 'final')
  for (const other of [
    { ...booked, booking: null },
    { ...booked, session: { ...session, stage: 'active' as const } },
    { ...booked, cancelRequested: true },
  ]) {
    const verdict = judge(other, hold, failed, true)
    assert.equal([verdict.kind, reasonOf(verdict)], ['final', 'step 1: no answer'])
  }
  assert.is(judge(booked, hold, { ...failed, state: 'succeeded' }, true).kind, 'final')
})

test.run()
