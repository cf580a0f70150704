/** The TypeScript client with a hub and a node that are real, over each way there is. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@fernlab/shared/clients/typescript/client'
import * as assert from 'uvu/assert'
import WebSocket from 'ws'
import { rejection as failure } from '../../contract/driver-contract.ts'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the TypeScript client with a hub and a node', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })

let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab()
})
test.after(() => lab?.close())

/** A client that has no nearer way than that. */
const clientBy = {
  'in-process': () => lab.client({ here: [lab.edge.services.door] }),
  websocket: () => lab.client(),
  mqtt: () => lab.clientByHub(),
}

for (const way of ['in-process', 'websocket', 'mqtt'] as const) {
  test(`finds the supply by its tag, locks it, and drives it: ${way}`, async () => {
    await using client = clientBy[way]()
    const [supply] = await client.directory.find({ tag: 'supply' })
    assert.is(supply?.id, 'demo/diode-1.psu')
    const psu = await client.service(supply?.id ?? '')
    const { voltage } = await psu.read(['voltage'])
    assert.is(voltage?.value, 0)
    assert.is(psu.way?.kind, way)
    assert.is((await failure(psu.set('voltage', 1))).code, 'right-missing')
    const foreign = supply?.address.replace(/^fernlab:\/\/[^/]+/, 'fernlab://elsewhere') ?? ''
    assert.is((await failure(client.service(foreign))).code, 'site-foreign')

    const lock = await client.lock(['diode-1.psu', 'diode-1.ammeter'], { reason: 'a curve' })
    await psu.set('voltage', 1.5)
    assert.is((await psu.read(['voltage'])).voltage?.value, 1.5)
    const limit = await failure(psu.set('voltage', 6))
    assert.is(limit.kind, 'caller')
    assert.match(limit.message, /5/)
    const readings = psu.follow(['voltage'], { rateHz: 50 })
    const taken: unknown[] = []
    for await (const reading of readings) {
      taken.push((reading as { voltage: { value: number } }).voltage.value)
      if (taken.length === 5) break
    }
    assert.equal(taken, [1.5, 1.5, 1.5, 1.5, 1.5])
    assert.is((await client.directory.find({ name: 'diode-1.psu' }))[0]?.bench, 'demo.diode-1')
    await lock.release()
    // The bench has gone to its safe state, and nobody drives it any more.
    assert.is((await psu.read(['voltage'])).voltage?.value, 0)
    assert.is((await failure(psu.set('voltage', 1))).code, 'right-missing')
  })
}

test('what is there for nobody is refused where it comes in', async () => {
  const url = `${lab.hub.http.replace('http', 'ws')}/api/v1/nodes`
  const refusal = (path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(`${url}/${path}`, ['fernlab.rpc.1.cbor'], { headers })
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0))
      socket.on('open', () => reject(new Error('it was let on')))
      socket.on('error', () => {})
    })
  const known = { authorization: `Bearer ${lab.hub.token}` }
  assert.is(await refusal('demo/services', {}), 401)
  assert.is(await refusal('demo/services', { authorization: 'Bearer fern_wrong' }), 401)
  assert.is(await refusal('nobody/services', known), 404)
  assert.is(await refusal('demo/services', { ...known, origin: 'https://elsewhere.example' }), 403)
})

/** What the hub's process has read and written so far, sockets included, and what it says that it carried. */
async function throughHub() {
  const headers = { authorization: `Bearer ${lab.hub.token}` }
  const metrics = await (await fetch(`${lab.hub.http}/metrics`, { headers })).text()
  const carried = [...metrics.matchAll(/^fernlab_services_carried_bytes_total\{to="\w+"\} (\d+)$/gm)]
  assert.is(carried.length, 2)
  const io = readFileSync(`/proc/${lab.hub.pid}/io`, 'utf8')
  const moved = [...io.matchAll(/^[rw]char: (\d+)$/gm)]
  const sum = (all: RegExpExecArray[]) => all.reduce((total, [, bytes]) => total + Number(bytes), 0)
  return { carried: sum(carried), moved: sum(moved) }
}

test('the hub carries no byte of what goes straight to a node', async () => {
  const fileBytes = 4 * 2 ** 20
  await writeFile(join(lab.folder, 'results/wave.f64'), new Uint8Array(fileBytes))
  const traffic = async (own: Client, { calls, files }: { calls: number; files: number }) => {
    const [psu, results] = [await own.service('diode-1.psu'), await own.service('results')]
    await psu.read(['voltage'])
    await results.read(['used_bytes'])
    const before = await throughHub()
    for (let n = 0; n < calls; n++) await psu.read(['voltage'])
    const called = await throughHub()
    let got = 0
    for (let n = 0; n < files; n++) {
      const file: unknown = await results.do.get?.({ path: 'wave.f64' })
      assert.instance(file, Uint8Array)
      got += (file as Uint8Array).length
    }
    assert.is(got, files * fileBytes)
    const after = await throughHub()
    return {
      kinds: [psu.way?.kind, results.way?.kind],
      carriedByCalls: called.carried - before.carried,
      carried: after.carried - before.carried,
      moved: after.moved - called.moved,
    }
  }
  {
    await using relayed = lab.clientByHub()
    const byHub = await traffic(relayed, { calls: 100, files: 1 })
    assert.equal(byHub.kinds, ['mqtt', 'mqtt'])
    // A question and its answer; and what is carried comes in and goes out.
    const seen = byHub.carriedByCalls > 100 * 100 && byHub.carried > fileBytes && byHub.moved > 2 * fileBytes
    assert.ok(seen, JSON.stringify(byHub))
  }
  await using straight = lab.client()
  const files = 16
  const direct = await traffic(straight, { calls: 1000, files })
  assert.equal([direct.kinds, direct.carried], [['websocket', 'websocket'], 0])
  // What the hub does by itself is kilobytes a second; a relay of these files would move 128 MiB.
  assert.ok(direct.moved < (files * fileBytes) / 8, `${direct.moved} bytes`)
})

test('goes on straight at the node while the hub is away, and by the hub again when it is back', async () => {
  await using client = lab.client()
  await using relayed = lab.clientByHub()
  const psu = await client.service('diode-1.psu')
  const other = await relayed.service('diode-1.psu')
  await other.read(['voltage'])
  await using _lock = await client.lock(['diode-1.psu'])
  await psu.set('voltage', 1)
  await lab.hub.stop('SIGKILL')
  for (const volts of [1.1, 1.2, 1.3]) {
    await psu.set('voltage', volts)
    assert.is((await psu.read(['voltage'])).voltage?.value, volts)
  }
  assert.is((await failure(other.read(['voltage'], { timeoutMs: 200 }))).kind, 'link')
  await lab.restartHub()
  await psu.set('voltage', 1.4)
})

test.run()
