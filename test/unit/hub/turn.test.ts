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

const ids = async () => (await database.read('SELECT id FROM t ORDER BY id')).map(({ id }) => id)
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
  await Promise.resolve()
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
  const failed: string[] = []
  turn.add(insert, { id: 'a' })
  turn.add(move, { id: 'nobody' })
  turn.afterCommit(
    () => assert.unreachable('an effect of a failed turn'),
    ({ code }) => failed.push(code),
  )
  await turn.settled()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal([failed, reloads, turn.open], [['precondition-failed'], 1, true])
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
  turn.afterCommit(
    () => {},
    () => seen.push('the write failed'),
  )
  await Promise.resolve()
  turn.afterCommit(
    () => seen.push('acknowledged'),
    () => seen.push('not acknowledged'),
  )
  await turn.settled()
  assert.equal(seen, ['the write failed', 'not acknowledged'])
})

test.run()
