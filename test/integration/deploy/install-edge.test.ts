import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { createMachine, debianFiles, type Machine, noMachine } from '../../support/booted-machine.ts'
import { type RunningFernlab, startFernlab } from '../../support/running-fernlab.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const minutes = 60_000
const test = suite('a node on a machine of its own', {
  timeoutMs: minutes,
  // The first time, the files of the machine are fetched.
  hookTimeoutMs: 10 * minutes,
  fileTimeoutMs: 14 * minutes,
})

const problem = noMachine()
const it = problem === undefined ? test : (name: string) => test.skip(name, problem)

let machine: Machine
let hub: RunningFernlab

test.before(async () => {
  if (problem !== undefined) return
  debianFiles()
  machine = createMachine(root)
  hub = await startFernlab({ part: 'hub', env: { FERNLAB_HOST: machine.hostAddress, FERNLAB_DEMO: '0' } })
  await machine.boot()
  before = await everything()
})
test.after(async () => {
  await machine?.end()
  await hub?.cleanUp()
})

const script = '/fernlab/scripts/deploy/install-edge'

/** Runs a command in the machine; fails with what it said where it does not end well. */
const ok = async (command: string, ...args: string[]): Promise<string> => {
  const { code, out, err } = await machine.run(command, ...args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${out}${err}`)
  return out.trim()
}
const shell = (line: string) => ok('sh', '-c', line)

const call = async (path: string, init: RequestInit = {}): Promise<Record<string, unknown>> => {
  const headers = { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' }
  const response = await fetch(`${hub.http}${path}`, { ...init, headers })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

const newCode = async () =>
  String((await call('/api/v1/nodes', { method: 'POST', body: JSON.stringify({ node: 'pi' }) })).code)

const until = async (what: string, look: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!(await look())) {
    if (performance.now() > deadline)
      throw new Error(`not ${what}\n${(await machine.run('journalctl', '-u', 'fernlab-edge', '-n', '30')).out}`)
    await sleep(200)
  }
}
const isOnline = async () => (await call('/api/v1/nodes/pi')).state === 'online'
const untilOnline = () => until('online', isOnline)
const mainPid = async () => {
  const pid = await shell('systemctl show -P MainPID fernlab-edge')
  // To the shell 0 would be all of these tests.
  if (!/^[1-9]\d*$/.test(pid)) throw new Error('the node does not run')
  return pid
}

/** Where an installation could leave something, without what systemd and the account tools keep for themselves. */
const everything = async () =>
  (await shell('find /etc /opt /usr /var/lib -not -path "/var/lib/systemd/*" | sort'))
    .split('\n')
    .filter((path) => !/^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$|\.pwd\.lock$/.test(path))
let before: string[] = []

it('says what it would do, and does nothing', async () => {
  const said = await ok(script, '--node', 'pi', '--dry-run')
  assert.match(said, /would: useradd --system .* fernlab/)
  assert.match(said, /would: write \/etc\/systemd\/system\/fernlab-edge\.service/)
  assert.equal(await everything(), before)
})

it('wants avrdude for flashing, and picotool where Debian has it', async () => {
  const dry = () => ok(script, '--node', 'pi', '--dry-run', '--with', 'flash')
  // Lists of packages of our own: what a fresh system knows of Debian differs from mirror to mirror.
  const kept = '/var/lib/apt/lists /var/cache/apt'
  await shell(`for folder in ${kept}; do mkdir -p $folder && mount -t tmpfs tmpfs $folder; done`)
  const list = '/etc/apt/sources.list.d/picotool.list'
  const packages =
    'Package: picotool\nVersion: 2.1.1-1\nArchitecture: all\nMaintainer: A <a@localhost>\nFilename: ./a.deb\nSize: 1\nDescription: tool\n'
  try {
    const without = await dry()
    assert.match(without, /There is no picotool in this Debian: a node can not flash a Pico/)
    assert.match(without, /^Installing avrdude$/m)
    await shell(`mkdir /tmp/archive && printf '${packages}' > /tmp/archive/Packages`)
    await shell(`echo "deb [trusted=yes] file:/tmp/archive ./" > ${list}`)
    await shell(`apt-get -q -o Dir::Etc::sourcelist=${list} -o Dir::Etc::sourceparts=- update`)
    assert.match(await dry(), /^Installing avrdude picotool$/m)
  } finally {
    await shell(`umount ${kept}; rm -rf ${list} /tmp/archive`)
  }
  assert.equal(await everything(), before)
})

it('takes no Node whose sum is another than it knows', async () => {
  await shell('echo something else > /tmp/node.tgz; mount --bind /dev/null /usr/bin/node')
  const { code, err } = await machine.run(script, '--node', 'pi', '--node-archive', '/tmp/node.tgz')
  await shell('umount /usr/bin/node; rm -r /tmp/node.tgz /opt/fernlab')
  assert.is(code, 1)
  assert.is(err, 'install-edge: /tmp/node.tgz is not what it should be: its SHA-512 sum is another\n')
  assert.equal(await everything(), before)
})

it('installs a node that is enrolled, reports to its hub, and has no right that it does not need', async () => {
  assert.match(await ok(script, '--node', 'pi'), /not enrolled yet/)
  assert.match(await shell('cat /etc/fernlab/node.yaml'), /url: in-process/)
  // As a run leaves it that was cut.
  await shell('ln -s "$(readlink /opt/fernlab/edge)" /opt/fernlab/edge.new')
  const enrolled = ['--hub', hub.http, '--code', await newCode()]
  assert.match(await ok(script, ...enrolled), /pi is enrolled at main\n.*The node runs/s)
  await untilOnline()
  assert.match(
    await shell('cat /etc/fernlab/node.yaml'),
    new RegExp(`^  url: ${hub.http.replace('http', 'ws')}/mqtt$`, 'm'),
  )
  // A code is good once.
  assert.match(await ok(script, ...enrolled), /is enrolled already.*The node runs/s)
  await untilOnline()
  assert.is(await shell('ls /opt/fernlab/edge'), 'LICENSE\nbundle\nnode_modules\npackage.json')
  const packages = (await shell('ls /opt/fernlab/edge/node_modules')).split('\n')
  assert.ok(packages.includes('serialport') && packages.includes('esbuild'))
  assert.not.ok(packages.some((name) => ['aedes', 'hono', 'react', 'kysely', 'typescript'].includes(name)))
  assert.is(await shell('stat -c "%a %U %G" /etc/fernlab/node.yaml'), '640 root fernlab')
  assert.is(await shell(`stat -c %a /var/lib/fernlab/nodes/pi/settings.json`), '600')
  const pid = await mainPid()
  const status = await shell(`cat /proc/${pid}/status`)
  assert.match(status, /^CapEff:\t0+$/m)
  assert.match(status, /^NoNewPrivs:\t1$/m)
  assert.is(await shell(`ps -o user= -p ${pid}`), 'fernlab')
  assert.equal((await shell('id -nG fernlab')).split(' ').sort(), ['dialout', 'fernlab', 'gpio', 'i2c', 'video'])
})

it('looks at the machine', async () => {
  const findings = JSON.parse(await ok('fernlab', 'doctor', '--json')) as { what: string; verdict: string }[]
  const verdict = (what: string) => findings.find((finding) => finding.what === what)?.verdict
  assert.is(verdict('/etc/fernlab/node.yaml'), 'ok')
  assert.is(verdict('way to the hub'), 'ok')
  assert.is((await machine.run('fernlab', 'doktor')).code, 1)
})

it('gives it another credential, which is the node’s to read', async () => {
  await shell('systemctl stop fernlab-edge')
  assert.match(await ok('fernlab', 'enroll', '--hub', hub.http, '--code', await newCode()), /pi is enrolled at main/)
  const owners = await shell('stat -c "%U %a" /var/lib/fernlab/nodes/pi /var/lib/fernlab/nodes/pi/settings.json*')
  assert.equal(owners.split('\n'), ['fernlab 700', 'fernlab 600', 'fernlab 600'])
  await shell('systemctl start fernlab-edge')
  await untilOnline()
})

it('ends where a file can not be written, with the version that runs as it was', async () => {
  const [pid, version] = [await mainPid(), await shell('readlink /opt/fernlab/edge')]
  const rules = '/etc/udev/rules.d'
  await shell(`echo >> ${rules}/60-fernlab.rules; mount --bind ${rules} ${rules}; mount -o remount,bind,ro ${rules}`)
  const { code, err } = await machine.run(script)
  await shell(`umount ${rules}`)
  assert.is.not(code, 0)
  assert.match(err, /60-fernlab\.rules\.new.*Read-only/)
  assert.equal([await mainPid(), await shell('readlink /opt/fernlab/edge')], [pid, version])
})

it('starts again by itself when it is killed', async () => {
  const pid = await mainPid()
  await shell(`kill -9 ${pid}`)
  await until('another process', async () => {
    const now = await shell('systemctl show -P MainPID fernlab-edge')
    return now !== '0' && now !== pid
  })
  await untilOnline()
})

it('brings it up to date, and keeps its identity and its file', async () => {
  await shell('echo "# the bench by the window" >> /etc/fernlab/node.yaml')
  const kept = 'sha256sum /etc/fernlab/node.yaml /var/lib/fernlab/nodes/pi/settings.json'
  const [sums, pid, version] = [await shell(kept), await mainPid(), await shell('readlink /opt/fernlab/edge')]
  assert.match(await ok(script), /node\.yaml stays as it is/)
  assert.is(await shell(kept), sums)
  assert.is.not(await shell('readlink /opt/fernlab/edge'), version)
  assert.is(await shell('ls -d /opt/fernlab/edge-* | wc -l'), '1')
  assert.is.not(await mainPid(), pid)
  await untilOnline()
})

it('starts with the machine', async () => {
  await machine.shutDown()
  await until('offline', async () => !(await isOnline()))
  await machine.boot()
  await untilOnline()
})

it('is removed without a trace, or but for what is a person’s', async () => {
  await ok(script, '--uninstall', '--keep-data')
  assert.match(await shell('cat /etc/fernlab/node.yaml'), /the bench by the window/)
  assert.is((await machine.run('systemctl', 'cat', 'fernlab-edge')).code, 1)
  await ok(script)
  await untilOnline()
  await ok(script, '--uninstall')
  assert.equal(await everything(), before)
  assert.not.match(await shell('cat /etc/passwd /etc/group /etc/shadow'), /fernlab|^gpio|^i2c/m)
  await until('offline', async () => !(await isOnline()))
})

test.run()
