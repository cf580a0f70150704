import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Database, openDatabase } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the database')
const folder = mkdtempSync(join(tmpdir(), 'fernlab-db-'))
const migrations = [
  {
    name: '1',
    sql: 'CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER, r REAL, b BLOB) STRICT; CREATE TABLE log (text TEXT) STRICT',
  },
]
let db: Database
const insert = (id: string, more: Partial<{ n: number | bigint; r: number; b: Uint8Array }> = {}) => ({
  sql: 'INSERT INTO t VALUES (?, ?, ?, ?)',
  params: [id, more.n ?? null, more.r ?? null, more.b ?? null],
})
const ids = async () => (await db.read('SELECT id FROM t ORDER BY rowid')).map(({ id }) => id)
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    assert.instance(error, LabError)
    return (error as LabError).code
  }
  return 'none'
}

test.before(async () => {
  db = await openDatabase({ path: join(folder, 'test.db'), migrations })
})
test.before.each(async () => {
  await db.write([{ sql: 'DELETE FROM t' }, { sql: 'DELETE FROM log' }])
})
test.after(async () => {
  await db.close()
  rmSync(folder, { recursive: true, force: true })
})

test('one thread reads what it wrote, also within a transaction, and closes', async () => {
  const one = await openDatabase({ path: join(folder, 'one.db'), migrations, threads: 'one' })
  await one.write([insert('a')])
  const [, rows] = await Promise.all([one.write([insert('b')]), one.read('SELECT id FROM t ORDER BY rowid')])
  assert.equal(
    rows.map(({ id }) => id),
    ['a', 'b'],
    'a read asked for after a write sees it',
  )
  await one.backup(join(folder, 'one-copy.db'))
  assert.equal(await one.check(), [])
  await one.close()
  await one.close()
})

test('writes are kept and answered also while the event loop does not get on to anything else', async () => {
  let kept = false
  let asked = 0
  const until = performance.now() + 20_000
  const note = () => {
    kept = true
  }
  // Promises alone: no message is delivered by the loop meanwhile.
  const writes: Promise<unknown>[] = []
  while (!kept && performance.now() < until) {
    if (performance.now() > asked) {
      writes.push(db.write([{ sql: 'INSERT INTO log VALUES (?)', params: [String(writes.length)] }]).then(note))
      asked = performance.now() + 1
    }
    await undefined
  }
  const wereKept = kept
  await Promise.all(writes)
  assert.ok(wereKept, 'the first was answered only after the turn')
  assert.is((await db.read('SELECT text FROM log')).length, writes.length)
})

test('gives back what it was given, of every kind', async () => {
  const small = Uint8Array.of(1, 2, 3)
  const large = new Uint8Array(100_000).fill(7)
  const view = new Uint8Array(new ArrayBuffer(200_000), 50_000, 70_000).fill(9)
  await db.write([
    insert('é "quoted" \n', { n: -5, r: 0.1, b: small }),
    insert('large', { n: 2n ** 53n + 1n - 2n, r: Number.POSITIVE_INFINITY, b: large }),
    insert('view', { b: view }),
    insert('nothing'),
  ])
  const rows = await db.read('SELECT * FROM t ORDER BY rowid')
  const blob = (row: number) => (rows[row]?.b ?? new Uint8Array(0)) as Uint8Array
  assert.is(rows[0]?.id, 'é "quoted" \n')
  assert.is(rows[0]?.n, -5)
  assert.is(rows[0]?.r, 0.1)
  assert.equal([...blob(0)], [1, 2, 3])
  assert.is(Number(rows[1]?.n), 2 ** 53 - 1)
  assert.is(rows[1]?.r, Number.POSITIVE_INFINITY)
  assert.is(blob(1).byteLength, 100_000)
  assert.is(blob(1)[99_999], 7)
  assert.is(blob(2).byteLength, 70_000)
  assert.is(blob(2)[69_999], 9)
  assert.equal([rows[3]?.n, rows[3]?.r, rows[3]?.b], [null, null, null])
})

test('a write is whole or not at all, and undoes itself alone', async () => {
  const good = db.write([insert('a')])
  const bad = db.write([insert('b'), insert('a')])
  const after = db.write([insert('c')])
  assert.is(await codeOf(good), 'none')
  assert.is(await codeOf(bad), 'constraint-failed')
  assert.is(await codeOf(after), 'none')
  assert.equal(await ids(), ['a', 'c'])
})

test('a full disk is named, to the write that met it and to those of its group', async () => {
  const small = await openDatabase({ path: join(folder, 'small.db'), migrations })
  await small.write([{ sql: 'PRAGMA max_page_count = 12' }])
  const codes = await Promise.all([
    codeOf(small.write([insert('a')])),
    codeOf(small.write([insert('large', { b: new Uint8Array(1_000_000) })])),
    codeOf(small.write([insert('b')])),
  ])
  assert.equal(codes, ['disk-full', 'disk-full', 'disk-full'])
  await small.write([insert('c')])
  assert.equal(await small.read('SELECT id FROM t'), [{ id: 'c' }])
  await small.close()
})

test('a write whose expectation is not met is undone, and says which statement', async () => {
  await db.write([insert('a')])
  const update = { sql: 'UPDATE t SET n = 1 WHERE id = ?', params: ['nobody'], expect: 1 }
  try {
    await db.write([insert('b'), update])
    assert.unreachable()
  } catch (error) {
    assert.is((error as LabError).code, 'precondition-failed')
    assert.is((error as LabError).details.statement, 1)
  }
  assert.equal(await ids(), ['a'])
})

test('one statement for many rows counts all of them', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => [`r${i}`, i, null, Uint8Array.of(i)])
  const [result] = await db.write([{ sql: 'INSERT INTO t VALUES (?, ?, ?, ?)', rows, expect: 100 }])
  assert.is(result?.changes, 100)
  assert.is(
    await codeOf(db.write([{ sql: 'UPDATE t SET r = 1 WHERE n = ?', rows: [[1], [1000]], expect: 2 }])),
    'precondition-failed',
  )
  assert.is((await db.read('SELECT count(*) AS c FROM t WHERE r = 1'))[0]?.c, 0)
})

test('writes take effect in the order they were asked for, across kinds', async () => {
  const done: Promise<unknown>[] = []
  for (let i = 0; i < 50; i++) {
    done.push(db.write([{ sql: 'INSERT INTO log VALUES (?)', params: [`w${i}`] }]))
    if (i === 25) done.push(db.transaction(async (tx) => void (await tx.query("INSERT INTO log VALUES ('tx')"))))
  }
  await Promise.all(done)
  const order = (await db.read('SELECT text FROM log ORDER BY rowid'))
    .map(({ text }) => text)
    .filter((text) => text !== 'tx')
  assert.equal(
    order,
    Array.from({ length: 50 }, (_, i) => `w${i}`),
  )
})

test('a transaction commits what it did, undoes it when it throws, and others wait', async () => {
  const slow = db.transaction(async (tx) => {
    await tx.query('INSERT INTO log VALUES (?)', ['first'])
    await new Promise((resolve) => setTimeout(resolve, 30))
    await tx.query('INSERT INTO log VALUES (?)', ['second'])
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const between = db.write([{ sql: 'INSERT INTO log VALUES (?)', params: ['third'] }])
  await Promise.all([slow, between])
  const failed = db.transaction(async (tx) => {
    await tx.query('INSERT INTO log VALUES (?)', ['never'])
    throw new LabError({ code: 'changed-my-mind', kind: 'caller', message: 'no' })
  })
  assert.is(await codeOf(failed), 'changed-my-mind')
  const order = (await db.read('SELECT text FROM log ORDER BY rowid')).map(({ text }) => text)
  assert.equal(order, ['first', 'second', 'third'])
})

test('a read sees what was committed before it', async () => {
  for (let i = 0; i < 20; i++) {
    await db.write([insert(`k${i}`)])
    assert.is((await db.read('SELECT count(*) AS c FROM t'))[0]?.c, i + 1)
  }
})

test('more statements than are remembered still find their SQL', async () => {
  for (let i = 0; i < 2500; i += 50) {
    const some = Array.from({ length: 50 }, (_, k) => db.write([{ sql: `INSERT INTO log VALUES ('s${i + k}')` }]))
    await Promise.all(some)
  }
  const rows = await db.read('SELECT DISTINCT text FROM log')
  assert.is(rows.length, 2500)
})

test('a copy made while in use is sound and complete', async () => {
  await db.write(Array.from({ length: 200 }, (_, i) => insert(`k${i}`)))
  const path = join(folder, 'copy.db')
  const writing = Promise.all(Array.from({ length: 50 }, (_, i) => db.write([insert(`x${i}`)])))
  await db.backup(path)
  await writing
  const copy = await openDatabase({ path, migrations })
  assert.equal(await copy.check(), [])
  assert.ok(Number((await copy.read("SELECT count(*) AS c FROM t WHERE id LIKE 'k%'"))[0]?.c) === 200)
  await copy.close()
})

test('a database of a newer release, and a file that is none, are refused in one line', async () => {
  const path = join(folder, 'newer.db')
  const newer = await openDatabase({
    path,
    migrations: [...migrations, { name: '2', sql: 'CREATE TABLE x (a INTEGER)' }],
  })
  await newer.close()
  assert.is(await codeOf(openDatabase({ path, migrations })), 'database-unusable')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(join(folder, 'none.db'), 'this is no database, but it is long enough to look like one'.repeat(100))
  assert.is(await codeOf(openDatabase({ path: join(folder, 'none.db'), migrations })), 'database-unusable')
})

test('after closing, nothing is taken any more; closing twice is closing once', async () => {
  const other = await openDatabase({ path: join(folder, 'closed.db'), migrations })
  const pending = other.write([insert('last')])
  await Promise.all([other.close(), other.close()])
  assert.is(await codeOf(pending), 'none')
  assert.is(await codeOf(other.write([insert('late')])), 'database-closed')
})

test.run()
