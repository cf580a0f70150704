import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'
import { type Reach, reached, withoutVerb } from './verbs-of-routes.ts'

const test = suite('every route is reached from the command line, or it says why not', { timeoutMs: 180_000 })
let hub: Server
let home = ''
let answers: Readonly<Record<string, unknown>> = {}
let called: string[] = []

const notHere: Problem = {
  type: 'about:blank',
  title: 'not here',
  status: 404,
  detail: 'not here',
  code: 'not-here',
  hint: 'not here',
}

test.before(async () => {
  home = mkdtempSync(join(tmpdir(), 'fernlab-verbs-'))
  hub = createServer((request, response) => {
    const call = `${request.method} ${request.url?.replace(/\?.*/, '')}`
    called.push(call)
    response.setHeader('connection', 'close')
    request.resume().once('end', () => {
      response.writeHead(call in answers ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answers[call] ?? notHere))
    })
  })
  hub.on('upgrade', (request, socket) => {
    called.push(`${request.method} ${request.url}`)
    socket.destroy()
  })
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve))
})
test.after(async () => {
  await new Promise((resolve) => hub.close(resolve))
  rmSync(home, { recursive: true, force: true })
})

const document = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8')) as { paths: Record<string, object> }
const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
)

/** Runs a verb against a hub that has only these answers; returns what it called and how it ended. */
async function callsOf({
  verb,
  before = {},
  typed = [],
  stranger = false,
}: Reach): Promise<{ calls: string[]; end: string }> {
  answers = before
  called = []
  const url = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`
  const own = stranger ? {} : { FERNLAB_TOKEN: 'token' }
  const env = { FERNLAB_HUB: url, HOME: home, ...own }
  const words = [...verb.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) =>
    (quoted ?? word).replace('{home}', home),
  )
  const { err } = await commandLine(words, { env, typed: typed.map((text) => text.replace('{hub}', url)) })
  return { calls: called, end: err }
}

test('each route of openapi.json is listed once, and no other', () => {
  const listed = [...Object.keys(reached), ...Object.keys(withoutVerb)]
  assert.equal(
    routes.filter((route) => !listed.includes(route)),
    [],
    'give it a verb, or say in withoutVerb why it has none',
  )
  assert.equal(
    listed.filter((route, at) => !routes.includes(route) || listed.indexOf(route) !== at),
    [],
  )
  for (const reason of Object.values(withoutVerb)) assert.ok(reason.length > 20, reason)
})

test('each verb calls its route', async () => {
  for (const [route, reach] of Object.entries(reached)) {
    const template = new RegExp(`^${route.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    const { calls, end } = await callsOf(typeof reach === 'string' ? { verb: reach } : reach)
    assert.ok(
      calls.some((call) => template.test(call)),
      `${route}: ${JSON.stringify(reach)} called ${calls.join(', ') || 'nothing'}; ${end}`,
    )
  }
})

test.run()
