/** The runs of the stand-in for the hub. */
import type { Run, SubmitRun } from '@fernlab/shared/contracts/api'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { type Area, json, paged, problem } from './fake-answers.ts'
import type { FakeLab } from './fake-labs.ts'
import { FakeRun } from './fake-run.ts'
import type { FakeState } from './fake-state.ts'
import type { KeptPromises } from './kept-promises.ts'

export interface FakeRuns {
  /** By id, newest last. */
  readonly all: Map<string, FakeRun>
  add(more?: Partial<Run>, points?: number): FakeRun
  readonly answer: Area
}

export interface FakeRunsOptions {
  readonly hub: Pick<FakeState, 'empty'>
  readonly labs: ReadonlyMap<string, FakeLab>
  readonly promises: KeptPromises
  /** Wall time between the points of a submitted run. */
  readonly everyMs: number
}

/** The objects of `/api/v1/runs`. */
export function fakeRuns({ hub, labs, promises, everyMs }: FakeRunsOptions): FakeRuns {
  const runs = new Map<string, FakeRun>()
  let counter = 0

  function addRun(more: Partial<Run> = {}, points = 50): FakeRun {
    const id = more.id ?? `01k${String(counter++).padStart(23, '0')}`
    const lab = labs.get(more.lab ?? 'rc-circuit')?.detail
    const protocol = lab?.protocols.find((one) => one.name === (more.protocol ?? 'charge-curve')) ?? lab?.protocols[0]
    if (lab === undefined || protocol === undefined) throw new Error('no such lab')
    const run = new FakeRun({
      promises,
      points,
      everyMs,
      run: {
        id,
        state: 'queued',
        attempt: 1,
        lab: lab.id,
        labTitle: lab.title,
        labVersion: 1,
        protocol: protocol.name,
        protocolTitle: protocol.title,
        outputTitles: Object.fromEntries(
          Object.entries(protocol.outputs).flatMap(([name, { title }]) => (title === undefined ? [] : [[name, title]])),
        ),
        protocolDigest: protocol.digest,
        restart: protocol.restart,
        bench: null,
        parameters: { voltage: 5, duration: 5, rate: 10 },
        person: { id: 'p1', name: 'Ana' },
        priority: 5,
        createdAt: new Date().toISOString(),
        cancelRequested: false,
        outputs: {},
        missingOutputs: {},
        rows: {},
        ...more,
      },
    })
    runs.set(id, run)
    return run
  }

  const answer: Area = ({ call, url, body, collection, id, verb }) => {
    if (call === 'GET /api/v1/runs') {
      const states = url.searchParams.get('state')?.split(',')
      const items = [...runs.values()]
        .map(({ run }) => run)
        .filter((run) => states === undefined || states.includes(run.state))
        .filter((run) => (url.searchParams.get('lab') ?? run.lab) === run.lab)
        .filter((run) => (url.searchParams.get('person') ?? run.person.id) === run.person.id)
        .reverse()
      return paged(hub, items, url.searchParams)
    }
    if (call === 'POST /api/v1/runs') {
      const sent = body as SubmitRun
      const protocol = labs.get(sent.lab)?.detail.protocols.find((one) => one.name === sent.protocol)
      if (protocol === undefined) return problem(404, 'protocol-unknown')
      const { values, issues } = checkParameters(protocol.definition as Protocol, sent.parameters)
      if (issues.length > 0) return problem(422, 'parameters-invalid', { issues })
      const run = addRun({ lab: sent.lab, protocol: sent.protocol, parameters: values as Run['parameters'] })
      run.play()
      return json(run.run, 201)
    }
    if (collection === 'runs') {
      const run = runs.get(id)
      if (run === undefined) return problem(404, 'run-unknown')
      if (verb === 'events') return { stream: (response, lastEventId) => run.connect(response, lastEventId) }
      if (verb === 'data.json') return json(run.data())
      if (verb === 'documents') {
        const configuration = { psu: { data: { psu_range: 30 }, data_keys: { psu_range: { units: 'V' } } } }
        const line = JSON.stringify({ name: 'descriptor', doc: { configuration } })
        return { status: 200, type: 'application/jsonl', body: `${line}\n` }
      }
      if (verb === 'cancel') {
        run.end('cancelled', { reason: 'cancelled on request', cancelRequested: true })
        return json(run.run)
      }
      return json(run.run)
    }
    return undefined
  }

  return { all: runs, add: addRun, answer }
}
