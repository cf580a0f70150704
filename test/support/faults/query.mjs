// Runs statements on a SQLite file in a process of its own, so that no handle on the file outlives the question.
import { deserialize, serialize } from 'node:v8'

const { path, statements } = deserialize(Buffer.from(process.argv[2], 'base64'))
const major = Number(process.versions.node.split('.')[0])
const { DatabaseSync } = await import(major >= 24 ? 'node:sqlite' : '@photostructure/sqlite')
const database = new DatabaseSync(path)
database.exec('PRAGMA busy_timeout = 5000')
const results = statements.map(({ sql, params }) =>
  database
    .prepare(sql)
    .all(...params)
    .map((row) => ({ ...row })),
)
process.stdout.write(serialize(results))
