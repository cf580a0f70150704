/** Runs protocols of the demo labs on a node with real drivers, and gives what came back. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConfigSource } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import type { Worlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import { parseProtocol } from '@fernlab/shared/protocol/parse'
import * as assert from 'uvu/assert'
import { assignmentOf, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'

export const LABS = fileURLToPath(new URL('../../../shared/labs/', import.meta.url))

export interface LabRun {
  readonly stop: StopDoc
  /** Every column of a stream, whole. */
  column(stream: string, key: string): number[]
}

export interface LabNode {
  /** Runs `lab/protocol` on a bench; parameters that are not given take their defaults. */
  run(bench: string, protocol: string, parameters?: Record<string, unknown>): Promise<LabRun>
  /** Starts a run and gives its id. */
  begin(bench: string, protocol: string, parameters?: Record<string, unknown>): Promise<string>
  finished(runId: string): Promise<LabRun>
  /** Waits until the bench is free. */
  free(bench: string): Promise<void>
  readonly hub: Awaited<ReturnType<typeof startScriptedHub>>
  readonly log: ReturnType<typeof recordingLog>
  close(): Promise<void>
}

/** Starts a node from its file, named as in it, on a scripted hub. */
export async function startLabNode(name: string, config: ConfigSource, worlds?: Worlds): Promise<LabNode> {
  const hub = await startScriptedHub(name)
  const dataFolder = await mkdtemp(join(tmpdir(), 'fernlab-labs-'))
  const log = recordingLog()
  const clock = systemClock
  const edge = await startEdge({
    config,
    dataFolder,
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock, log, ...(worlds === undefined ? {} : { worlds }) }),
    log,
    site: SITE,
    link: () => hub.link(),
    pollEveryMs: 60_000,
  })
  const begin: LabNode['begin'] = async (bench, path, input = {}) => {
    const [lab = '', protocol = ''] = path.split('/')
    const text = await readFile(join(LABS, lab, 'protocols', `${protocol}.yaml`), 'utf8')
    const { protocol: definition, issues } = parseProtocol(text)
    assert.ok(definition, JSON.stringify(issues))
    const { values, issues: wrong } = checkParameters(definition, input)
    assert.equal(wrong, [])
    const assignment = assignmentOf(JSON.parse(JSON.stringify(definition)), {
      bench,
      lab,
      protocol,
      parameters: values,
      maxSeconds: 110,
    })
    await hub.assign(assignment)
    return assignment.runId
  }
  const finished: LabNode['finished'] = async (runId) => {
    await hub.until(`${runId} has stopped`, () => hub.refused.length > 0 || hub.stopped(runId) !== undefined, 110_000)
    assert.equal(hub.refused, [])
    const document = hub.stopped(runId)
    assert.ok(document?.name === 'stop')
    const column = (stream: string, key: string) =>
      hub
        .documents(runId)
        .flatMap((each) =>
          each.name === 'event_page' && each.doc.stream === stream ? [...(each.doc.columns[key] ?? [])] : [],
        )
        .map(Number)
    return { stop: document.doc, column }
  }
  const free = (bench: string) =>
    hub.until(
      `${bench} is free`,
      () => edge.benches.get(bench)?.status.state === 'free' && edge.syncState === 'synced',
      60_000,
    )
  return {
    hub,
    log,
    free,
    begin,
    finished,
    run: async (bench, path, parameters) => {
      await free(bench)
      return await finished(await begin(bench, path, parameters))
    },
    close: async () => {
      await edge.close()
      await hub.close()
      await rm(dataFolder, { recursive: true, force: true })
    },
  }
}
