/** What a scripted node says of one session, in order. */
import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import { COMMANDS_STREAM, commandColumns, WAS_STOPPED } from '@fernlab/shared/contracts/session-columns'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { until } from './hub-with-node.ts'
import { documentsOf, type ScriptedNode } from './scripted-node.ts'

export interface SessionTells {
  begin(): Promise<void>
  longer(seconds: number): Promise<void>
  /** Somebody finishes it; its bench is still to be cleaned up. */
  finished(): Promise<void>
  /** It ends by itself, and its bench is clean. */
  end(reason: string): Promise<void>
  /** Something else stops it. */
  stopped(): Promise<void>
  /** The last document, when all of it is told. */
  stop(stop: Partial<StopDoc>): Promise<void>
  /** Its instrument is lost: it is stopped, and nothing cleans the bench up. */
  breakDown(): Promise<void>
}

export const unplugged = 'box was lost during the run: unplugged'
const lost: Partial<StopDoc> = {
  state: 'failed',
  reason: unplugged,
  error: {
    code: 'instrument-lost',
    kind: 'instrument',
    retry: 'later',
    message: unplugged,
    studentMessage: 'An instrument was lost.',
  },
}

/** Tells the hub of the assignment's attempt, and waits each time until that is taken. */
export function tellsOf(node: ScriptedNode, assignment: Assignment, clock: Pick<Clock, 'now'>): SessionTells {
  const { runId, attempt } = assignment
  const [start, , , last] = documentsOf(assignment)
  let seq = 0
  let first = 0
  const told = async (document: object | undefined) => {
    await node.documents({ ...document, runId, attempt, seq: seq++ } as NodeDocument)
    await until(() => node.upTo(runId, attempt) >= seq, 'it is taken')
  }
  const row = (what: string, value: unknown) => {
    const columns = Object.fromEntries(commandColumns.map((name) => [name, [name === 'what' ? what : '']]))
    const doc = {
      stream: COMMANDS_STREAM,
      first: first++,
      count: 1,
      time: Float64Array.of(clock.now() / 1000),
      columns: { ...columns, value: [JSON.stringify(value)] },
    }
    return told({ name: 'event_page', doc })
  }
  const stop = (more: Partial<StopDoc>) => {
    const doc = { ...(last?.doc as object), time: clock.now() / 1000, rows: { [COMMANDS_STREAM]: first }, ...more }
    return told({ name: 'stop', doc: { ...doc, documents: seq } })
  }
  const stopped = () => row('end', WAS_STOPPED)
  return {
    begin: async () => {
      const key = { dtype: 'string', shape: [], unit: '1', source: 'session' }
      const dataKeys = Object.fromEntries(commandColumns.map((name) => [name, key]))
      await told(start)
      await told({
        name: 'descriptor',
        doc: { time: clock.now() / 1000, stream: COMMANDS_STREAM, dataKeys, configuration: {} },
      })
      await row('begin', assignment.parameters.seconds)
    },
    longer: (seconds) => row('extend', seconds),
    finished: async () => {
      await row('finish', '')
      await row('end', 'it was finished')
    },
    end: async (reason) => {
      await row('end', reason)
      await stop({ reason })
    },
    stopped,
    stop,
    breakDown: async () => {
      await stopped()
      await stop(lost)
    },
  }
}
