/**
 * The floor of dispatch, hub's side: broker and a durable table of runs in one thread, nothing else. A run is committed,
 * sent, comes back with its documents, and is committed again. No checks, no people, no scheduling, no repair.
 */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { decode, encode } from '@fernlab/shared/links/codec'
import { Aedes } from 'aedes'
import { keepInFlight } from '../framework/load.ts'
import { openGroupCommit } from './group-commit.ts'

interface Done {
  readonly runId: string
  readonly documents: readonly Uint8Array[]
}

/** Methods of the part `floor-hub`; the broker listens at once. */
export async function open() {
  const store = await openGroupCommit(
    process.env.BENCH_DATABASE ?? '',
    `CREATE TABLE run (id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
     CREATE TABLE document (run_id TEXT, seq INTEGER, body BLOB, PRIMARY KEY (run_id, seq)) STRICT, WITHOUT ROWID`,
  )
  const insertRun = store.database.prepare("INSERT INTO run VALUES (?, 'assigned')")
  const finishRun = store.database.prepare("UPDATE run SET state = 'succeeded' WHERE id = ? AND state = 'assigned'")
  const insertDocument = store.database.prepare('INSERT INTO document VALUES (?, ?, ?)')
  const broker = await Aedes.createBroker()
  const server = createServer({ noDelay: true }, broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const waiting = new Map<string, () => void>()
  let assign: string[] = []
  let nextRun = Date.now()

  const publish = (topic: string, value: unknown) =>
    broker.publish(
      { cmd: 'publish', topic, payload: Buffer.from(encode(value)), qos: 0, retain: false, dup: false },
      () => {},
    )
  const onDone = (runs: readonly Done[]) => {
    store.add(
      () => {
        for (const { runId, documents } of runs) {
          documents.forEach((body, seq) => {
            insertDocument.run(runId, seq, body)
          })
          finishRun.run(runId)
        }
      },
      () => {
        publish(
          'acknowledge',
          runs.map(({ runId }) => runId),
        )
        for (const { runId } of runs) {
          waiting.get(runId)?.()
          waiting.delete(runId)
        }
      },
    )
  }
  broker.subscribe(
    'documents',
    (packet, next) => {
      onDone(decode(packet.payload as Buffer) as Done[])
      next()
    },
    () => {},
  )
  const submit = () =>
    new Promise<void>((resolve) => {
      const runId = `run-${nextRun++}`
      waiting.set(runId, resolve)
      store.add(
        () => insertRun.run(runId),
        () => {
          if (assign.length === 0) {
            setImmediate(() => {
              publish('assign', assign)
              assign = []
            })
          }
          assign.push(runId)
        },
      )
    })
  return {
    port: () => (server.address() as AddressInfo).port,
    load: ({ runs, inFlight }: { runs: number; inFlight: number }) => keepInFlight(submit, runs, inFlight),
  }
}
