/** A page of people's own that uses a node without a hub, by the client for TypeScript. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { until } from '../integration/hub/hub-with-node.ts'
import { nodeFile, startTestNode, type TestNode } from '../support/edge/node.ts'
import { onMachine } from '../support/edge/service-clients.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { openBrowser, visit } from './support/browser.ts'
import { pageScript } from './support/page-script.ts'

const test = suite('a client in a page, without a hub', { timeoutMs: 60_000, hookTimeoutMs: 60_000 })

const program = `
import { connect } from '@fernlab/client/browser'
globalThis.drive = async (node, token) => {
  await using lab = connect({ node, token })
  const [found] = await lab.directory.find({ tag: 'supply' })
  const supply = await lab.service(found.address)
  const refused = await supply.set('voltage', 1).catch(({ code }) => code)
  const lock = await lab.lock([supply.id], { reason: 'by a page' })
  await supply.set('voltage', 1.5)
  const { voltage } = await supply.read(['voltage'])
  const [{ state }] = await lab.directory.find({ name: found.name })
  await lock.release()
  return { id: supply.id, refused, voltage: voltage.value, state, way: supply.way.kind }
}
globalThis.fails = (node, token) => connect({ node, token }).directory.find().catch(({ code }) => code)
`

let browser: Browser
let pages: Server
let node: TestNode

test.before(async () => {
  const script = await pageScript(root, program)
  pages = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(
      `<!doctype html><html lang="en"><title>Lab</title><link rel="icon" href="data:,"><script>${script}</script>`,
    )
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  const { hub: _, instruments, ...file } = nodeFile(1) as { hub?: unknown; instruments: Record<string, object> }
  const tagged = { 'psu-1': { ...instruments['psu-1'], tags: ['supply'] } }
  const listen = { host: '127.0.0.1', port: 0, origins: [pageUrl()] }
  node = await startTestNode(undefined, { config: { object: { ...file, instruments: tagged, services: { listen } } } })
  browser = await openBrowser()
})
test.after(async () => {
  await browser?.close()
  await node?.remove()
  pages?.close()
})

const pageUrl = () => `http://127.0.0.1:${(pages.address() as AddressInfo).port}`

test('it finds a supply by its tag, locks it and sets it; a page from elsewhere does not', async () => {
  const owner = await onMachine(node.dataFolder)
  const areUp = async () =>
    ((await owner.call('node/services')) as { state: string }[]).every(({ state }) => state === 'up')
  await until(areUp, 'the bench is free', 30_000)
  const asked = { person: 'ada', services: ['*'], rights: ['read', 'use', 'lock'] }
  const { token } = (await owner.call('node/token', asked)) as { token: string }
  await owner.close()
  const given: [string, string] = [node.edge.services.addresses[0] ?? '', token]
  const { page, context, complaints } = await visit(browser)
  await page.goto(pageUrl())
  const driven = await page.evaluate(
    ([address, own]) => (globalThis as never as { drive(...given: string[]): unknown }).drive(address, own),
    given,
  )
  const expected = { id: 'n1/bench-1.psu', refused: 'bench-not-held', voltage: 1.5, state: 'locked', way: 'websocket' }
  assert.equal(driven, expected)
  assert.equal(complaints, [])
  await page.goto(pageUrl().replace('127.0.0.1', 'localhost'))
  const fails = await page.evaluate(
    ([address, own]) => (globalThis as never as { fails(...given: string[]): unknown }).fails(address, own),
    given,
  )
  assert.is(fails, 'node-unreachable')
  await context.close()
})

test.run()
