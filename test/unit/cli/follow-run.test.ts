import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Run } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { followRun, type RunNews } from 'fernlab/cli/follow-run'
import { HubClient } from 'fernlab/cli/hub-client'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('following a run from the command line')

const run: Run = {
  id: '01j00000000000000000000000',
  state: 'succeeded',
  attempt: 1,
  lab: 'rc-circuit',
  labVersion: 1,
  protocol: 'charge-curve',
  protocolDigest: 'd',
  restart: 'safe',
  bench: 'demo.rc',
  parameters: {},
  person: { id: 'p', name: 'P' },
  priority: 5,
  createdAt: '2026-01-01T00:00:00.000Z',
  cancelRequested: false,
  outputs: {},
  missingOutputs: {},
  rows: {},
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void
let server: Server | undefined

async function hubThat(handler: Handler): Promise<HubClient> {
  server = createServer(handler)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return new HubClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' })
}

test.after.each(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
})

const event = (id: string, name: string, data: unknown) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`

test('shows the news in order and ends with the run', async () => {
  const client = await hubThat((request, response) => {
    assert.is(request.headers.authorization, 'Bearer secret')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const text = `${event('1', 'state', { state: 'running', attempt: 1, at: 'x' })}${event('2', 'end', run)}`
    // Split in the middle of a line and of the two bytes of a letter.
    const bytes = Buffer.from(`${event('0', 'progress', { fraction: 0.5, step: 'añadir' })}${text}`)
    const cut = bytes.indexOf(0xc3) + 1
    response.write(bytes.subarray(0, cut))
    setTimeout(() => response.end(bytes.subarray(cut)), 20)
  })
  const news: RunNews[] = []
  const ended = await followRun({
    client,
    runId: run.id,
    signal: new AbortController().signal,
    onNews: (item) => news.push(item),
  })
  assert.is(ended.state, 'succeeded')
  assert.equal(news, [
    { kind: 'progress', fraction: 0.5, step: 'añadir' },
    { kind: 'state', state: 'running' },
  ])
})

test('resumes after the last event that it saw when the connection breaks', async () => {
  const seen: (string | undefined)[] = []
  const client = await hubThat((request, response) => {
    seen.push(request.headers['last-event-id'] as string | undefined)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (seen.length === 1) {
      response.write(event('7', 'state', { state: 'running' }))
      setTimeout(() => response.destroy(), 20)
    } else response.end(event('8', 'end', run))
  })
  const ended = await followRun({ client, runId: run.id, signal: new AbortController().signal, onNews: () => {} })
  assert.is(ended.id, run.id)
  assert.equal(seen, [undefined, '7'])
})

test('gives up when the hub says that there is no such run', async () => {
  const client = await hubThat((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({ type: 'about:blank', title: 'Not found', status: 404, detail: 'no run x', code: 'run-unknown' }),
    )
  })
  try {
    await followRun({ client, runId: 'x', signal: new AbortController().signal, onNews: () => {} })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, LabError)
    assert.is((error as LabError).code, 'run-unknown')
  }
})

test('stops at once when it is told to', async () => {
  const stop = new AbortController()
  const client = await hubThat((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('1', 'state', { state: 'running' }))
    setTimeout(() => stop.abort(new Error('enough')), 20)
  })
  try {
    await followRun({ client, runId: run.id, signal: stop.signal, onNews: () => {} })
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'enough')
  }
})

test('carries the issues of a refusal, one for each path', async () => {
  const client = await hubThat((_request, response) => {
    response.writeHead(422, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({
        type: 'about:blank',
        title: 'Refused',
        status: 422,
        detail: 'the parameters will not do',
        code: 'parameters-invalid',
        issues: [{ path: 'parameters.voltage', message: '12 V is above the limit of 5 V' }],
      }),
    )
  })
  try {
    await client.fetch('/api/v1/runs', { method: 'POST', body: {} })
    assert.unreachable()
  } catch (error) {
    const { code, issues } = error as LabError
    assert.is(code, 'parameters-invalid')
    assert.equal(issues, [{ path: 'parameters.voltage', message: '12 V is above the limit of 5 V' }])
  }
})

test.run()
