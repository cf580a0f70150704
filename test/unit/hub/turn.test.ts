import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTurn, type TurnStatement } from '@fernlab/hub/store/turn'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { type Database, openDatabase } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what changes in one turn')
const folder = mkdtempSync(join(tmpdir(), 'fernlab-turn-'))
const statement = (rank: number, sql: string, conditional = true): TurnStatement<{ id: string }> => ({
  rank,
  sql,
  conditional,
  bind: ({ id }) => [id],
})
const insert = statement(1, 'INSERT INTO t VALUES (?)')
const move = statement(0, "UPDATE t SET id = id || '!' WHERE id = ?")
let database: Database
let reloads = 0

test.before(async () => {
  database = await openDatabase({
    path: join(folder, 'turn.db'),
    migrations: [{ name: '1', sql: 'CREATE TABLE t (id TEXT PRIMARY KEY) STRICT' }],
  })
})
test.before.each(async () => {
  reloads = 0
  await database.write([{ sql: 'DELETE FROM t' }])
})
test.after(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Later than what a change leads to at once. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const ids = async () => (await database.read('SELECT id FROM t ORDER BY id')).map(({ id }) => id)
const refusal = async (work: Promise<unknown>): Promise<LabError> => {
  try {
    await work
  } catch (error) {
    assert.instance(error, LabError)
    return error as LabError
  }
  throw new Error('it was taken')
}
const create = (log = recordingLog(), reload = async () => {}) =>
  createTurn({
    database,
    clock: systemClock,
    log,
    onFailure: async () => {
      reloads++
      await reload()
    },
  })

test('what a later turn lets out waits for the turns before, and does not leave when one of them failed', async () => {
  const turn = create()
  const left: string[] = []
  turn.add(insert, { id: 'same' })
  turn.add(insert, { id: 'same' })
  turn.afterCommit(() => left.push('first'))
  await nextTurn()
  turn.add(insert, { id: 'other' })
  turn.afterCommit(() => left.push('second'))
  await turn.settled()
  assert.equal(left, [])
  assert.equal(await ids(), ['other'], 'each turn is atomic on its own')
})

test('the turn stays closed until the memory could be read again', async () => {
  let fails = 2
  const turn = create(recordingLog(), async () => {
    if (fails-- > 0) throw new LabError({ code: 'database-failed', kind: 'bug', message: 'no' })
  })
  turn.add(insert, { id: 'twice' })
  turn.add(insert, { id: 'twice' })
  await turn.settled()
  assert.not(turn.open)
  while (!turn.open) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(reloads, 3)
})

test('effects run after the commit, in order', async () => {
  const turn = create()
  const seen: string[] = []
  turn.add(insert, { id: 'a' })
  turn.afterCommit(() => seen.push('first'))
  turn.add(insert, { id: 'b' })
  turn.afterCommit(() => seen.push('second'))
  assert.equal(seen, [])
  await turn.settled()
  assert.equal(seen, ['first', 'second'])
  assert.equal(await ids(), ['a', 'b'])
})

test('a turn whose condition fails is undone as a whole; the memory is read again; then it goes on', async () => {
  const log = recordingLog()
  const turn = create(log)
  turn.add(insert, { id: 'a' })
  turn.add(move, { id: 'nobody' })
  turn.afterCommit(() => assert.unreachable('an effect of a failed turn'))
  const error = await refusal(turn.kept())
  assert.equal([error.code, error.retry], ['database-recovering', 'later'], 'no mistake of the caller')
  await turn.settled()
  while (!turn.open) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.is(reloads, 1)
  assert.equal(await ids(), [])
  turn.add(insert, { id: 'b' })
  await turn.settled()
  assert.equal(await ids(), ['b'])
  assert.equal(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
  )
})

test('an effect without rows of its own waits for what was written before, and falls with it', async () => {
  const turn = create()
  const seen: string[] = []
  turn.add(move, { id: 'nobody' })
  await nextTurn()
  turn.afterCommit(() => seen.push('acknowledged'))
  const error = await refusal(turn.kept())
  await turn.settled()
  assert.is(error.code, 'database-recovering')
  assert.equal(seen, [])
})

test('who asked for rows that are on disk is told so, though a turn before failed', async () => {
  const turn = create()
  turn.add(move, { id: 'nobody' })
  const first = turn.kept()
  first.catch(() => {})
  await nextTurn()
  turn.add(insert, { id: 'mine' })
  turn.afterCommit(() => assert.unreachable('an effect that rests on the failed turn'))
  await turn.kept()
  assert.equal(await ids(), ['mine'])
  assert.is((await refusal(first)).code, 'database-recovering')
  await turn.settled()
})

test('while the memory is read again no effect runs, and nothing is written', async () => {
  let readOn = () => {}
  const turn = create(recordingLog(), () => new Promise((resolve) => (readOn = resolve)))
  turn.add(move, { id: 'nobody' })
  await turn.settled()
  assert.not(turn.open)
  turn.afterCommit(() => assert.unreachable('an effect on memory that is not on disk'))
  await turn.settled()
  const isRecovering = ({ code }: LabError) => code === 'database-recovering'
  assert.throws(() => turn.add(insert, { id: 'a' }), isRecovering)
  assert.throws(() => turn.mustBeOpen(), isRecovering)
  assert.is((await refusal(turn.kept())).code, 'database-recovering')
  assert.is((await refusal(turn.alone([{ sql: insert.sql, params: ['a'] }]))).code, 'database-recovering')
  assert.equal(await ids(), [])
  readOn()
  while (!turn.open) await new Promise((resolve) => setTimeout(resolve, 5))
  turn.mustBeOpen()
})

test('the memory is read again only after writes that stand alone, which fail alone', async () => {
  const seen: unknown[] = []
  const turn = create(recordingLog(), async () => void seen.push(await ids()))
  turn.add(move, { id: 'nobody' })
  const failed = turn.kept()
  failed.catch(() => {})
  const alone = turn.alone([{ sql: insert.sql, params: ['a'] }])
  assert.is((await refusal(failed)).code, 'database-recovering')
  await alone
  while (!turn.open) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(seen, [['a']])
  assert.is((await refusal(turn.alone([{ sql: insert.sql, params: ['a'] }]))).code, 'constraint-failed')
  assert.ok(turn.open)
})

test('rows that are amended or dropped within their turn are written as they were at its end', async () => {
  const turn = create()
  const amended = turn.add(insert, { id: 'first' })
  amended.amend({ id: 'second' })
  amended.amend({ id: 'third' })
  turn.add(insert, { id: 'dropped' }).drop()
  await turn.kept()
  assert.equal(await ids(), ['third'])
})

test('a dropped row is not waited for: neither beside others of its statement, nor alone', async () => {
  const turn = create()
  turn.add(insert, { id: 'a' })
  await turn.kept()
  turn.add(move, { id: 'nobody' }).drop()
  turn.add(move, { id: 'a' })
  await turn.kept()
  assert.equal(await ids(), ['a!'])
  turn.add(move, { id: 'nobody' }).drop()
  const seen: string[] = []
  turn.afterCommit(() => seen.push('told'))
  await turn.kept()
  await turn.settled()
  assert.equal([seen, reloads, turn.open], [['told'], 0, true])
})

test('a row that is changed after its turn is a bug, and stays as it was written', async () => {
  const turn = create()
  const row = turn.add(insert, { id: 'a' })
  assert.ok(row.open)
  await nextTurn()
  turn.add(insert, { id: 'b' })
  assert.not(row.open, 'another turn has begun')
  const over = ({ code, kind }: LabError) => code === 'turn-over' && kind === 'bug'
  assert.throws(() => row.amend({ id: 'c' }), over)
  assert.throws(() => row.drop(), over)
  await turn.settled()
  assert.equal(await ids(), ['a', 'b'])
})

test.run()
