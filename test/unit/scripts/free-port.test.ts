/** Ports that tests give to their programs: nobody else comes by them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { freePort, portsBeside } from '../../support/free-port.ts'
import { suite } from '../../support/suite.ts'

const test = suite('free ports of tests', { timeoutMs: 30_000 })

for (const [range, span] of [
  ['32768\t60999\n', [10_000, 32_767]],
  ['10240\t40000\n', [40_001, 65_535]],
  ['1024 60999', [61_000, 65_535]],
] as const) {
  test(`beside ${range.trim()}`, () => assert.equal(portsBeside(range), span))
}

test('a range that leaves nothing, or is none, is named', () => {
  assert.throws(() => portsBeside('1024\t65535\n'), /1024\t65535.* leaves none/)
  assert.throws(() => portsBeside(''), /leaves none/)
})

test('they are outside the kernel’s own range, one is given once, and one can listen there', async () => {
  const [low = 0, high = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number)
  const ports = await Promise.all(Array.from({ length: 50 }, freePort))
  assert.is(new Set(ports).size, 50)
  for (const port of ports) assert.ok(port < low || port > high, `${port} is within ${low} to ${high}`)
  const server = createServer().listen(ports[0], '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ port: ports[0] ?? 0, host: '127.0.0.1' })
  await once(client, 'connect')
  client.destroy()
  server.close()
})

test('what another process was given is not given again before that ends', async () => {
  const module = new URL('../../support/free-port.ts', import.meta.url).href
  const script = `
    import { freePort } from ${JSON.stringify(module)}
    // The same beginning as everybody's here.
    Math.random = () => 0.5
    console.log(await freePort())
    process.stdin.resume()
  `
  const take = async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../../../', import.meta.url)),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    const end = async () => {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    return { port: Number(chunk), end }
  }
  const first = await take()
  const second = await take()
  assert.is.not(first.port, second.port)
  await first.end()
  const third = await take()
  assert.is(third.port, first.port, 'free again, though its process was killed')
  await second.end()
  await third.end()
})

test.run()
