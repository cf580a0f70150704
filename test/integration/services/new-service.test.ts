/** What `fernlab service new` makes runs in a node as it is, and has the types that the node gives it. */
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeService, type ServiceLanguage, serviceLanguages } from '@fernlab/edge/driver-kit/new-service'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { startEdge } from '@fernlab/edge/main'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { commandLine } from '../../support/command-line.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a new service', { timeoutMs: 60_000 })
let scratch = ''
test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fernlab-service-'))
})
test.after(() => rm(scratch, { recursive: true, force: true }))

const make = async (name: string, language: ServiceLanguage) => {
  const folder = join(scratch, name)
  const said: string[] = []
  await makeService({ folder, language, json: false, out: () => {}, err: (line) => void said.push(line) })
  return { folder, said: said.join('\n') }
}

/** A node without a hub, by its own socket. */
async function inNode(folder: string, work: (peer: Peer, socket: string) => Promise<void>): Promise<void> {
  const dataFolder = join(folder, 'data')
  const node = await startEdge({
    config: { file: join(folder, 'node.example.yaml') },
    dataFolder,
    drivers: builtInDrivers(),
    openTransport: createOpenTransport({ clock, log: silentLog }),
    log: silentLog,
  })
  const peer = await onMachine(dataFolder)
  try {
    const changes = await peer.call('node.daemons/up', { daemons: [] })
    assert.equal((changes as { state: string }[])[0]?.state, 'up')
    await work(peer, join(dataFolder, 'services.sock'))
  } finally {
    await peer.close()
    await node.close()
  }
}

for (const language of serviceLanguages) {
  test(`in ${language} runs in a node as it is, and is called`, async () => {
    const name = `my-${language}`
    const { folder, said } = await make(name, language)
    const file = language === 'python' ? 'service.py' : 'service.ts'
    assert.ok(said.includes(`${name}: { file: ./${name}/${file}, daemon: ${name} }`), said)
    await inNode(folder, async (peer, socket) => {
      const heard = peer.stream(`${name}/events.follow`, { events: ['smoothed'] })
      const first = heard.next()
      assert.equal(await peer.call(`${name}/smooth`, { values: Float64Array.of(1, 2, 3, 7) }), Float64Array.of(2, 4))
      assert.is(((await first).value as { value: number }).value, 4)
      await heard.return()
      await peer.call(`${name}/signals.set`, { signal: 'width', value: 2 })
      const short = await rejection(peer.call(`${name}/smooth`, { values: Float64Array.of(1) }))
      assert.equal([short.code, short.message], ['too-few-values', '1 values are too few for means of 2'])
      const at = (...args: string[]) => commandLine(['call', ...args, '--node', socket], { env: {} })
      const typed = (values: string) => at(name, 'smooth', `values=${values}`)
      assert.equal(await typed('[1, 2, 3.5]'), { code: 0, out: '[1.5,2.75]\n', err: '' })
      const no = await typed('[1, two]')
      assert.equal([no.code, no.err], [1, 'fernlab: values[1] must be a number, not "two"\n'])
      const twice = await at(name, 'smooth', 'values=[1]', 'values=[2]')
      assert.equal([twice.code, twice.err], [2, 'fernlab: the argument values is given twice\n'])
      const text = await at(name, '--set', 'width=abc')
      assert.equal([text.code, text.err], [2, 'fernlab: width must be a number, not "abc"\n'])
      const second = await at(name, '--set', 'width=3', 'width=1.5')
      assert.is(second.code, 1)
      assert.match(second.err, /width .*\n {2}Set before that: width\.\n$/s)
      const first1 = await at(name, '--set', 'width=1.5')
      assert.is(first1.code, 1)
      assert.not.match(first1.err, /Set before/)
      const unknown = await at('nobody', 'smooth')
      assert.is(unknown.code, 1)
      assert.match(unknown.err, /"fernlab directory" lists .* "fernlab daemon ps", on its node\.\n$/)
    })
    assert.not.match(await readFile(join(folder, 'README.md'), 'utf8'), /new-driver|ROW/)
  })
}

test('that others may write is not run, and named', async () => {
  const { folder } = await make('open', 'typescript')
  await chmod(join(folder, 'service.ts'), 0o666)
  await inNode(folder, async (peer) => {
    const refused = await rejection(peer.call('open/smooth', { values: new Float64Array(3) }))
    assert.is(refused.code, 'own-service-writable')
    assert.match(refused.message, /everybody may write service\.ts, which the node runs/)
  })
})

test('has types that fit, and that are those of what the node gives it', async () => {
  const { folder } = await make('typed', 'typescript')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const host = join(root, 'edge/services/daemons/service-host.ts')
  const lines = [
    `import * as given from ${JSON.stringify(host)}`,
    "import type * as told from '@fernlab/service'",
    'export const all: Omit<typeof told, "z" | "defineService"> = given',
    'export const z: typeof told.z = given.z',
    'export const context = (one: given.ServiceContext): told.ServiceContext => one',
    'export const call = (one: given.CallContext): told.CallContext => one',
    'const specs = { a: { type: "array", of: "float64" }, b: { type: "integer", default: 1 } } as const',
    'export const args = (one: given.ArgumentsOf<typeof specs>): told.ArgumentsOf<typeof specs> => one',
    'export const back = (one: told.ArgumentsOf<typeof specs>): given.ArgumentsOf<typeof specs> => one',
    // What one of them has and the other has not, in any of their shapes, does not compile.
    'type Real = Parameters<typeof given.defineService>[0]',
    'export const contract = (one: told.ServiceContract): Real => one',
    'export const contractBack = (one: Real): told.ServiceContract => one',
    'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false',
    'type Keys<Shape> = Shape extends unknown ? keyof Shape : never',
    'type Members<Contract extends told.ServiceContract> = readonly [',
    '  keyof Contract, Keys<Contract["actions"][string]>, Keys<Contract["signals"][string]>,',
    '  Keys<Contract["events"][string]>, Keys<Contract["actions"][string]["arguments"][string]>,',
    ']',
    'export const members: Same<Members<Real>, Members<told.ServiceContract>> = true',
    'export const contextMembers: Same<keyof given.ServiceContext, keyof told.ServiceContext> = true',
    'const every = { type: "object", optional: ["note"], members: {',
    '  n: { type: "number" }, i: { type: "integer" }, b: { type: "boolean" }, note: { type: "string" },',
    '  choice: { type: "string", enum: ["a", "b"] }, none: { type: "none" }, any: { type: "any" },',
    '  list: { type: "list", items: { type: "array", of: "uint8" } }, wave: { type: "array", of: "int16" },',
    '  deep: { type: "object", members: { x: { type: "array", of: "float32" }, y: { type: "array", of: "int32" } } },',
    '} } as const',
    'export const values: Same<given.ValueOf<typeof every>, told.ValueOf<typeof every>> = true',
    'export const both: Same<given.ArgumentsOf<typeof specs>, told.ArgumentsOf<typeof specs>> = true',
    '// @ts-expect-error: a sum of texts is no number',
    'export const wrong: told.ValueOf<{ readonly type: "string" }> = 1',
  ]
  await writeFile(join(folder, 'given.ts'), `${lines.join('\n')}\n`)
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', '--customConditions', 'source']
  const said = await promisify(execFile)(process.execPath, args, { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  assert.is(said, '')
})

test('is not made where a folder is, or of a name that is none', async () => {
  const { folder } = await make('there', 'python')
  const again = await commandLine(['service', 'new', folder], { env: {} })
  assert.match(again.err, /there is there already/)
  const wrong = await commandLine(['service', 'new', join(scratch, 'My Fit')], { env: {} })
  assert.match(wrong.err, /a service can not be called "My Fit"/)
})

test.run()
