import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('what a PyroLab file becomes', { timeoutMs: 20_000 })

const old = `version: 0.2
nameservers:
  production: { host: public, ns_port: 9100, storage: sql }
daemons:
  lockable: { module: pyrolab.daemon, classname: LockableDaemon, host: public, servertype: thread }
  Second Daemon: { module: lab.daemons, classname: OurDaemon }
services:
  scope.TDS:
    module: pyrolab.drivers.scopes.tektronix
    classname: TDS2004B
    parameters: { address: "TCPIP::10.0.0.7", password: hunter2 }
    description: The old scope
    instancemode: single
    daemon: lockable
    nameservers: [production]
  scope-tds:
    module: pyrolab.drivers.scopes.tektronix
    classname: TDS2004B
    daemon: Second Daemon
    nameservers: []
autolaunch: { nameservers: [production], daemons: [lockable] }
`
const node = `# The lab in the cellar.
node: pi-1
hub: { url: mqtts://lab.example.org }
instruments: {}
daemons:
  analysis: { memoryMB: 256 } # stays
`

async function inFolder(work: (folder: string, run: (...args: string[]) => ReturnType<typeof commandLine>) => unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-import-'))
  try {
    await writeFile(join(folder, 'node.yaml'), node)
    await writeFile(join(folder, 'old.yaml'), old)
    const run = (...args: string[]) =>
      commandLine(['node', 'import', join(folder, 'old.yaml'), '--into', join(folder, 'node.yaml'), ...args], {
        env: {},
      })
    await work(folder, run)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('daemons, services and parameters are carried over, comments stay, and what is lost is named', () =>
  inFolder(async (folder, run) => {
    const { code, out, err } = await run()
    assert.is(code, 0, err)
    const text = await readFile(join(folder, 'node.yaml'), 'utf8')
    assert.match(text, /^# The lab in the cellar\.$/m)
    assert.match(text, /analysis: \{ memoryMB: 256 \} # stays/)
    const { node: read, issues } = parseNodeFile(text)
    assert.equal(issues, [])
    assert.equal(
      Object.entries(read?.daemons ?? {}).map(([name, { autostart }]) => [name, autostart]),
      [
        ['analysis', true],
        ['lockable', true],
        ['second-daemon', false],
      ],
    )
    const own = read?.services.own ?? {}
    assert.equal(Object.keys(own), ['scope-tds', 'scope-tds-2'])
    const { instances, parameters, description, daemon, register } = own['scope-tds'] ?? {}
    assert.equal([instances, description, daemon, register], ['single', 'The old scope', 'lockable', true])
    assert.equal(parameters, { address: 'TCPIP::10.0.0.7', password: 'hunter2' })
    const second = own['scope-tds-2']
    assert.equal([second?.instances, second?.daemon, second?.register], ['session', 'second-daemon', false])
    for (const line of [
      'nameservers.production: the hub is the directory',
      'daemons.Second Daemon: it is called second-daemon now',
      'daemons.Second Daemon.classname: OurDaemon is a class of your own',
      'daemons.lockable.host: a node has one address',
      'daemons.lockable.servertype: ',
      'services.scope.TDS: it is called scope-tds now',
      'services.scope-tds: it is called scope-tds-2 now',
    ])
      assert.ok(out.includes(line), `${line}\n${out}`)
    assert.not.match(out, /hunter2/)
  }))

test('the class of a service connects with its parameters', () =>
  inFolder(async (folder, run) => {
    await run()
    const said = join(folder, 'said.py')
    await writeFile(
      said,
      `import sys, types
module = types.ModuleType("pyrolab.drivers.scopes.tektronix")
class TDS2004B:
    def connect(self, address, password): self.to = address
module.TDS2004B = TDS2004B
for name in ("pyrolab", "pyrolab.drivers", "pyrolab.drivers.scopes"): sys.modules[name] = types.ModuleType(name)
sys.modules[module.__name__] = module
scope = {}
exec(open(${JSON.stringify(join(folder, 'pyrolab', 'scope_tds.py'))}).read(), scope)
print(scope["Service"](address="here", password="x").to, scope["Service"]().kind)
`,
    )
    const { code, out, err } = await runCommand('python3', [said])
    assert.is(code, 0, err)
    assert.is(out.trim(), 'here pyrolab.drivers.scopes.tektronix.TDS2004B')
  }))

test('nothing is changed by a look, or twice', () =>
  inFolder(async (folder, run) => {
    const { out } = await run('--dry-run')
    assert.match(out, /would be added/)
    assert.is(await readFile(join(folder, 'node.yaml'), 'utf8'), node)
    assert.not(existsSync(join(folder, 'pyrolab')))
    const { code } = await run('--json')
    assert.is(code, 0)
    const after = await readFile(join(folder, 'node.yaml'), 'utf8')
    const again = await run()
    assert.is(again.code, 1)
    assert.match(again.err, /there is daemons\.lockable already/)
    assert.is(await readFile(join(folder, 'node.yaml'), 'utf8'), after)
  }))

const wrongs: Record<string, [string, RegExp]> = {
  'a key twice': ['daemons: { a: {}, a: {} }', /old\.yaml:1:\d+/],
  'a tag that would run something': ['daemons: !!python/object/apply:os.system ["true"]', /tags are not allowed/],
  'a module that is none': [
    'daemons: { d: {} }\nservices: { s: { module: "os; import sys", classname: A, daemon: d } }',
    /services\.s\.module: must be a module's dotted name/,
  ],
  'a daemon that is missing': ['services: { s: { module: a, classname: A, daemon: d } }', /there is no daemon d/],
  'no mapping': ['- a', /old\.yaml/],
}
for (const [what, [text, message]] of Object.entries(wrongs)) {
  test(`${what} is refused with its place, and changes nothing`, () =>
    inFolder(async (folder, run) => {
      await writeFile(join(folder, 'old.yaml'), text)
      const { code, err } = await run()
      assert.is(code, 1)
      assert.match(err, message)
      assert.is(await readFile(join(folder, 'node.yaml'), 'utf8'), node)
    }))
}

test.run()
