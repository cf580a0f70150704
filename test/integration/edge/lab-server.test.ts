import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLabServerDriver } from '@fernlab/edge/drivers/lab-server/lab-server'
import type { NodeDocument, StopDoc } from '@fernlab/shared/contracts/documents'
import { parseLabFile } from '@fernlab/shared/contracts/lab-file'
import { COMMANDS_STREAM, commandColumns } from '@fernlab/shared/contracts/session-columns'
import type { Assignment, Visitor } from '@fernlab/shared/contracts/sync'
import { sessionProtocol } from '@fernlab/shared/protocol/session-protocol'
import * as assert from 'uvu/assert'
import { startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { LAB_PASSWORD, LAB_USER, startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'

const test = suite("a session on a lab's own server, over its node", { timeoutMs: 30_000 })
let lab: TestLabServer
let hub: ScriptedHub
let node: TestNode
let folder: string

const visitor: Visitor = {
  username: 'user-1',
  unique: 'user-1@test',
  fullName: 'user-1',
  locale: 'es',
  back: 'http://hub.example/sessions/1',
}

const ownServer = () => ({
  url: lab.url,
  username: LAB_USER,
  passwordFile: 'password',
  timeZone: 'Asia/Kathmandu',
})

const start = (dataFolder?: string) =>
  startTestNode(hub, {
    extraDrivers: [createLabServerDriver()],
    config: {
      folder,
      object: {
        site: SITE,
        node: 'n1',
        hub: { url: 'in-process' },
        instruments: {
          'psu-1': { driver: 'memory', config: {} },
          'psu-2': { driver: 'memory', config: {} },
          server: { driver: 'lab-server', config: ownServer() },
          'server-2': { driver: 'lab-server', config: ownServer() },
        },
        benches: {
          'bench-1': {
            parts: { psu: 'psu-1', server: 'server' },
            safeState: { 'psu.output': false },
            checks: { server: { kind: 'identify', config: { part: 'server' }, retries: 0 } },
          },
          'bench-2': { parts: { psu: 'psu-2', server: 'server-2' } },
        },
      },
    },
    ...(dataFolder === undefined ? {} : { dataFolder }),
  })

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-lab-'))
  await writeFile(join(folder, 'password'), `${LAB_PASSWORD}\n`)
  lab = await startTestLabServer()
  hub = await startScriptedHub('n1')
  node = await start()
})
test.after.each(async () => {
  await node.remove()
  await hub.close()
  await lab.stop()
  await rm(folder, { recursive: true, force: true })
})

const free = () =>
  hub.until(
    'the bench is free',
    () =>
      [...node.edge.benches.values()].every(({ status }) => status.state !== 'offline') &&
      node.edge.syncState === 'synced',
  )

const LAB = `
title: Own
summary: Has a server.
parts:
  psu: { signals: { voltage: { unit: V, access: read-set } } }
  server: { signals: {}, labServer: true }
session:
  seconds: 600
  prepare: [{ set: { psu.voltage: 1 } }]
  cleanUp: [{ set: { psu.voltage: 0.5 } }]
  server: { part: server, experiment: robot, category: Robots, data: { arm: 2 } }
`

/** As the hub makes it from lab.yaml. */
const session = (more: Partial<Assignment> = {}): Assignment => {
  const { lab: file, issues } = parseLabFile(LAB)
  assert.equal(issues, [])
  if (file === undefined) throw new Error('there is no lab')
  const { protocol, findings } = sessionProtocol(file)
  assert.equal(findings, [])
  return assignmentOf(JSON.parse(JSON.stringify(protocol)), {
    parameters: { seconds: 600 },
    maxSeconds: 3600,
    visitor,
    ...more,
  })
}
const stageOf = ({ runId }: Assignment) => hub.live.filter((run) => run.runId === runId).at(-1)?.session?.stage
const begin = async (assignment: Assignment) => {
  await free()
  await hub.assign(assignment)
  await hub.until('it is active', () => stageOf(assignment) === 'active')
}
const finish = ({ runId, attempt }: Assignment) => hub.call('session.finish', { runId, attempt, by: 'ada' })
const stopOf = async ({ runId }: Assignment, ms?: number): Promise<StopDoc> => {
  await hub.until('the session stopped', () => hub.stopped(runId) !== undefined, ms)
  const document = hub.stopped(runId) as NodeDocument
  if (document.name !== 'stop') throw new Error('there is no stop document')
  return document.doc
}
const rowsOf = ({ runId }: Assignment): Record<string, string>[] =>
  hub.documents(runId).flatMap((document) => {
    if (document.name !== 'event_page' || document.doc.stream !== COMMANDS_STREAM) return []
    const { columns, count } = document.doc
    return Array.from({ length: count }, (_, row) =>
      Object.fromEntries(commandColumns.map((key) => [key, String(columns[key]?.[row])])),
    )
  })
const outcomes = (assignment: Assignment) => rowsOf(assignment).map(({ what, outcome }) => `${what}: ${outcome}`)

test('start tells the server who comes, for how long and from where; the end disposes of it', async () => {
  const assignment = session()
  const before = Date.now() / 1000
  await begin(assignment)
  const [visit] = lab.sessions
  assert.equal(visit?.client, { arm: 2 })
  const { 'priority.queue.slot.start': local, 'priority.queue.slot.start.timestamp': at, ...rest } = visit?.server ?? {}
  assert.ok(Number(at) >= before - 1 && Number(at) <= Date.now() / 1000)
  // Nepal is 5 h 45 min ahead of UTC.
  assert.match(String(local), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
  assert.is(Date.parse(`${String(local).slice(0, 23).replace(' ', 'T')}+05:45`), Math.round(Number(at) * 1000))
  assert.equal(rest, {
    'priority.queue.slot.length': 600,
    'priority.queue.slot.initialization_in_accounting': true,
    'request.username': 'user-1',
    'request.username.unique': 'user-1@test',
    'request.full_name': 'user-1',
    'request.locale': 'es',
    'request.experiment_id.experiment_name': 'robot',
    'request.experiment_id.category_name': 'Robots',
  })
  assert.is(visit?.back, visitor.back)
  assert.equal(await hub.call('session.visit', { runId: assignment.runId, attempt: 1 }), {
    url: `${lab.url}callback/1`,
    through: 'hub',
  })
  assert.is(node.instrument().values.get('voltage'), 1)
  await finish(assignment)
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.reason, stop.cleanUp], ['succeeded', 'it was finished', { done: true, tries: 1 }])
  assert.is(visit?.disposed, 1)
  assert.is(node.instrument().values.get('voltage'), 0.5)
  assert.equal(
    rowsOf(assignment).map(({ what }) => what),
    ['lab-start', 'begin', 'finish', 'end'],
  )
  assert.equal(JSON.parse(rowsOf(assignment)[0]?.value ?? ''), { user: 'user-1@test', seconds: 600 })
  assert.not.match(JSON.stringify(hub.documents(assignment.runId)), /callback|s 1\?/)
})

test('the server is asked as often as it wants, and ends the session', async () => {
  lab.shouldFinish = 0.5
  const assignment = session()
  await begin(assignment)
  const asked = () => lab.asked.get('s 1?') ?? 0
  await hub.until('it was asked again', () => asked() >= 2)
  lab.shouldFinish = -1
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.reason], ['succeeded', "the lab's server has ended it"])
  assert.is(lab.sessions[0]?.disposed, 1)
  assert.ok(outcomes(assignment).includes('lab-status: done'))
})

test('one that says never is not asked again', async () => {
  lab.shouldFinish = 0
  const assignment = session()
  await begin(assignment)
  await hub.until('it was asked', () => lab.asked.get('s 1?') === 1)
  await finish(assignment)
  await stopOf(assignment)
  assert.is(lab.asked.get('s 1?'), 1)
})

for (const isNew of [true, false]) {
  const how = isNew ? 'is asked for all of them at once' : 'that is too old for that is asked for each'
  test(`a server with several sessions ${how}`, async () => {
    lab.shouldFinish = 0.5
    lab.askedTogether = isNew ? 0 : undefined
    const both = [session(), session({ bench: 'bench-2' })]
    for (const one of both) await begin(one)
    const asked = (id: string) => lab.asked.get(id) ?? 0
    const before = [asked('s 1?'), asked('s 2?')] as const
    if (isNew) await hub.until('it was asked for both', () => Number(lab.askedTogether) >= 3)
    else await hub.until('it was asked for each', () => asked('s 1?') > before[0] + 1 && asked('s 2?') > before[1] + 1)
    lab.shouldFinish = -1
    for (const one of both) assert.is((await stopOf(one)).reason, "the lab's server has ended it")
    assert.equal(
      lab.sessions.map(({ disposed }) => disposed),
      [1, 1],
    )
  })
}

test('an error that it answers ends the preparing with its message, and nothing is left to dispose of', async () => {
  lab.instead = (call, _request, response) => {
    if (call !== '') return false
    response.end(JSON.stringify({ error: true, message: 'the arm is stuck' }))
    return true
  }
  const assignment = session()
  await free()
  await hub.assign(assignment)
  const stop = await stopOf(assignment)
  assert.is(stop.state, 'failed')
  assert.match(stop.reason, /the arm is stuck/)
  assert.is(stop.error?.studentMessage, 'The lab could not be started: the arm is stuck')
  assert.equal(stop.cleanUp, { done: true, tries: 1 })
  assert.ok(outcomes(assignment)[0]?.includes('the arm is stuck'))
  assert.is(stageOf(assignment) === 'active', false)
})

test('cancelled while the server takes its time: its late answer is waited for and disposed of', async () => {
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let asked = false
  lab.instead = async (call) => {
    if (call !== '') return false
    asked = true
    await held
    return false
  }
  const assignment = session()
  await free()
  await hub.assign(assignment)
  await hub.until('the server was asked', () => asked)
  await hub.cancel(assignment.runId, 1, 'cancelled on request')
  letGo()
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp], ['cancelled', { done: true, tries: 1 }])
  assert.equal(
    lab.sessions.map(({ disposed }) => disposed),
    [1],
  )
})

test('an answer that breaks off leaves a session that nobody knows: the bench is not clean', async () => {
  lab.instead = (call, request) => {
    if (call !== '') return false
    request.socket.destroy()
    return true
  }
  const assignment = session()
  await free()
  await hub.assign(assignment)
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp?.done, stop.cleanUp?.tries], ['failed', false, 3])
  assert.is(stop.cleanUp?.error?.code, 'lab-session-unknown')
  assert.match(String(stop.cleanUp?.error?.message), /put the bench back/)
})

test('a server that is gone when the session ends: after three tries the bench is not clean', async () => {
  lab.shouldFinish = 0
  const assignment = session()
  await begin(assignment)
  await hub.until('it was asked', () => lab.asked.get('s 1?') === 1)
  await lab.stop()
  await finish(assignment)
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp?.done, stop.cleanUp?.tries], ['succeeded', false, 3])
  assert.match(String(stop.cleanUp?.error?.message), /can not be reached/)
})

test('a disposal that fails twice is tried again', async () => {
  const assignment = session()
  await begin(assignment)
  let failures = 0
  lab.instead = (call, request, response) => {
    if (request.method !== 'POST' || call === '' || failures === 2) return false
    failures++
    response.writeHead(500).end()
    return true
  }
  await finish(assignment)
  const stop = await stopOf(assignment)
  assert.equal(stop.cleanUp, { done: true, tries: 3 })
  assert.is(lab.sessions[0]?.disposed, 1)
})

test('a hub that is gone ends it, and the node disposes of it by itself', async () => {
  const assignment = session()
  const protocol = assignment.definition as { steps: object[] }
  const live = protocol.steps.at(-1) as { silenceS: number }
  live.silenceS = 0.5
  await free()
  await hub.assign(assignment)
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp], ['interrupted', { done: true, tries: 1 }])
  assert.is(lab.sessions[0]?.disposed, 1)
})

test('a node that restarts in mid-session disposes of it in its next life', async () => {
  const assignment = session()
  await begin(assignment)
  node = await node.restart()
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp], ['interrupted', { done: true, tries: 1 }])
  assert.is(lab.sessions[0]?.disposed, 1)
})

test('a node that restarts while the server is asked does not know, and says so', async () => {
  let asked = false
  lab.instead = (call) => {
    if (call !== '') return false
    asked = true
    return true
  }
  const assignment = session()
  await free()
  await hub.assign(assignment)
  await hub.until('the server was asked', () => asked)
  node = await node.restart()
  lab.instead = undefined
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp?.done], ['interrupted', false])
  assert.is(stop.cleanUp?.error?.code, 'lab-session-unknown')
})

test('the check of the bench says whether the server would take a session, and what is wrong', async () => {
  await free()
  const checked = async () => {
    const { checks } = (await hub.call('bench.check', { bench: 'bench-1' }, 10_000)) as {
      checks: { passed: boolean; reason?: string }[]
    }
    return checks[0]
  }
  assert.is((await checked())?.passed, true)
  const answers = (call: string, status: number, body: object) => {
    lab.instead = (asked, _request, response) => {
      if (asked !== call) return false
      response.writeHead(status).end(JSON.stringify(body))
      return true
    }
  }
  answers('test', 401, { valid: false, error_messages: ['Invalid credentials'] })
  assert.match(String((await checked())?.reason), /does not take the user name fernlab.*Invalid credentials/)
  answers('api', 200, { api_version: '2' })
  assert.match(String((await checked())?.reason), /speaks version 2 of the interface, and this node speaks 1/)
  answers('api', 302, {})
  assert.match(String((await checked())?.reason), /redirects/)
  answers('api', 404, {})
  assert.match(String((await checked())?.reason), /is url the base address/)
  answers('api', 200, { hello: 'world' })
  assert.match(String((await checked())?.reason), /does not answer as a lab server/)
})

test.run()
