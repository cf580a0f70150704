/** The floor of dispatch, node's side: an assignment is committed, answered with three documents that are committed, and forgotten. */
import { decode, encode } from '@fernlab/shared/links/codec'
import mqtt from 'mqtt'
import { openGroupCommit } from './group-commit.ts'

/** Methods of the part `floor-node`; it is connected and subscribed when this resolves. */
export async function open() {
  const store = await openGroupCommit(
    process.env.BENCH_DATABASE ?? '',
    `CREATE TABLE attempt (run_id TEXT PRIMARY KEY) STRICT;
     CREATE TABLE document (run_id TEXT, seq INTEGER, body BLOB, PRIMARY KEY (run_id, seq)) STRICT, WITHOUT ROWID`,
  )
  const insertAttempt = store.database.prepare('INSERT INTO attempt VALUES (?)')
  const insertDocument = store.database.prepare('INSERT INTO document VALUES (?, ?, ?)')
  const forgetDocuments = store.database.prepare('DELETE FROM document WHERE run_id = ?')
  const forgetAttempt = store.database.prepare('DELETE FROM attempt WHERE run_id = ?')
  const client = await mqtt.connectAsync(process.env.BENCH_BROKER ?? '', { protocolVersion: 5 })
  ;(client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true)
  const documents = [Buffer.alloc(300, 1), Buffer.alloc(100, 2), Buffer.alloc(200, 3)]
  let finished: string[] = []

  const send = () => {
    client.publish('documents', Buffer.from(encode(finished.map((runId) => ({ runId, documents })))))
    finished = []
  }
  const execute = (runId: string) =>
    store.add(
      () => {
        documents.forEach((body, seq) => {
          insertDocument.run(runId, seq, body)
        })
      },
      () => {
        if (finished.length === 0) setImmediate(send)
        finished.push(runId)
      },
    )
  client.on('message', (topic, payload) => {
    for (const runId of decode(payload) as string[]) {
      if (topic === 'assign')
        store.add(
          () => insertAttempt.run(runId),
          () => execute(runId),
        )
      else
        store.add(
          () => forget(runId),
          () => {},
        )
    }
  })
  const forget = (runId: string) => {
    forgetDocuments.run(runId)
    forgetAttempt.run(runId)
  }
  await client.subscribeAsync(['assign', 'acknowledge'])
  return {}
}
