/** A wrong setting stops each program with one line that names it, and nothing else. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { startProgram, untilPrinted } from '../../support/programs.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the settings of every program', { timeoutMs: 60_000, fileTimeoutMs: 10 * 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-settings-'))
const nodeFile = join(folder, 'node.yaml')
const noPem = join(folder, 'no.pem')
writeFileSync(nodeFile, 'node: n1\nhub: { url: ws://127.0.0.1:9/mqtt }\nsite: main\ninstruments: {}\nbenches: {}\n')
writeFileSync(noPem, 'not a certificate\n')

const programs = {
  'npm start': ['scripts/start/start.mjs'],
  'npm run hub': ['scripts/start/part.mjs', 'hub'],
  'npm run edge': ['scripts/start/part.mjs', 'edge', '--config', nodeFile],
} as const
type Name = keyof typeof programs
const hubs: readonly Name[] = ['npm start', 'npm run hub']
const all: readonly Name[] = [...hubs, 'npm run edge']

interface Wrong {
  readonly env: Readonly<Record<string, string>>
  readonly line: string
  readonly programs: readonly Name[]
}

/** All of these are told at one start, a line each. */
const together: readonly Wrong[] = [
  { env: { FERNLAB_PORT: 'eighty' }, line: 'FERNLAB_PORT is "eighty"; ', programs: all },
  { env: { FERNLAB_SITE: 'Main Campus' }, line: 'FERNLAB_SITE is "Main Campus"; ', programs: all },
  { env: { FERNLAB_PUBLIC_URL: 'lab.example' }, line: 'FERNLAB_PUBLIC_URL is "lab.example"; ', programs: all },
  { env: { FERNLAB_LOG_LEVEL: 'loud' }, line: 'FERNLAB_LOG_LEVEL is "loud"; ', programs: all },
  { env: { FERNLAB_BROKER_URL: 'http://x' }, line: 'FERNLAB_BROKER_URL is ', programs: all },
  { env: { FERNLAB_HEALTH_SECONDS: 'soon' }, line: 'FERNLAB_HEALTH_SECONDS is "soon"; ', programs: ['npm run edge'] },
  { env: { FERNLAB_LEAST_FREE_BYTES: 'few' }, line: 'FERNLAB_LEAST_FREE_BYTES is "few"; ', programs: ['npm run edge'] },
  { env: { FERNLAB_MQTT_PORT: '70000' }, line: 'FERNLAB_MQTT_PORT is "70000"; ', programs: hubs },
  { env: { FERNLAB_MQTTS_PORT: 'x' }, line: 'FERNLAB_MQTTS_PORT is "x"; ', programs: hubs },
  { env: { FERNLAB_HOST: 'http://x' }, line: 'FERNLAB_HOST is "http://x"; ', programs: hubs },
  { env: { FERNLAB_DATABASE_URL: 'mysql://x' }, line: 'FERNLAB_DATABASE_URL is "mysql://x"; ', programs: hubs },
  { env: { FERNLAB_TLS_CERT: '/c' }, line: 'FERNLAB_TLS_KEY is not set, but ', programs: hubs },
  { env: { FERNLAB_SMTP_URL: 'http://u:p@x' }, line: 'FERNLAB_SMTP_URL is (secret); ', programs: hubs },
  { env: { FERNLAB_DEMO: 'yes' }, line: 'FERNLAB_DEMO is "yes"; ', programs: hubs },
  { env: { FERNLAB_ADMIN_EMAIL: 'x' }, line: 'FERNLAB_ADMIN_EMAIL is "x"; ', programs: hubs },
  { env: { FERNLAB_ADMIN_PASSWORD: 'short' }, line: 'FERNLAB_ADMIN_PASSWORD is (secret); ', programs: hubs },
  { env: { FERNLAB_ADMIN_TOKEN: 'short' }, line: 'FERNLAB_ADMIN_TOKEN is (secret); ', programs: hubs },
]

/** Found wrong only as they are used, so one at a start. */
const alone: readonly Wrong[] = [
  {
    env: { FERNLAB_DATA: join(nodeFile, 'below-a-file') },
    line: "below-a-file/hub can't be written (ENOTDIR); FERNLAB_DATA may be a folder that can",
    programs: hubs,
  },
  {
    env: { FERNLAB_DATA: join(nodeFile, 'below-a-file') },
    line: "below-a-file/nodes/n1 can't be written (ENOTDIR); FERNLAB_DATA may be a folder that can",
    programs: ['npm run edge'],
  },
  {
    env: { FERNLAB_TLS_CA: '/nowhere' },
    line: "FERNLAB_TLS_CA is /nowhere, which can't be read; ",
    programs: ['npm run edge'],
  },
  {
    env: { FERNLAB_TLS_CA: noPem },
    line: `FERNLAB_TLS_CA is ${noPem}, which holds no certificate; `,
    programs: ['npm run edge'],
  },
  {
    env: { FERNLAB_TLS_CERT: '/nowhere', FERNLAB_TLS_KEY: noPem },
    line: "FERNLAB_TLS_CERT is /nowhere, which can't be read; ",
    programs: hubs,
  },
  {
    env: { FERNLAB_TLS_CERT: noPem, FERNLAB_TLS_KEY: noPem },
    line: `FERNLAB_TLS_CERT is ${noPem}, which holds no certificate; `,
    programs: hubs,
  },
  {
    env: { FERNLAB_LABS: '/nowhere' },
    line: "FERNLAB_LABS is /nowhere, which can't be read (ENOENT); ",
    programs: hubs,
  },
]

test.after(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
async function start(name: Name, env: Readonly<Record<string, string>>): Promise<string[]> {
  count += 1
  const [...args] = programs[name]
  const { ended, errors } = startProgram(process.execPath, args, { FERNLAB_DATA: join(folder, String(count)), ...env })
  assert.is(await ended, 1, errors())
  return errors().trimEnd().split('\n')
}

for (const name of all) {
  test(`${name} tells all of its wrong settings, one a line`, async () => {
    const wrong = together.filter((entry) => entry.programs.includes(name))
    const lines = await start(name, Object.assign({}, ...together.map(({ env }) => env)))
    for (const { line } of wrong)
      assert.is(lines.filter((said) => said.startsWith(line)).length, 1, `${line}\n${lines}`)
    assert.is(lines.length, wrong.length, lines.join('\n'))
  })
}

for (const { env, line, programs: names } of alone) {
  for (const name of names) {
    test(`${name} with ${new URLSearchParams(env)} says so in one line`, async () => {
      const lines = await start(name, env)
      assert.is(lines.length, 1, lines.join('\n'))
      assert.ok(lines[0]?.includes(line), lines[0])
    })
  }
}

test('npm run edge names a node file that is not there', async () => {
  const { ended, errors } = startProgram(process.execPath, ['scripts/start/part.mjs', 'edge'], {
    FERNLAB_DATA: join(folder, 'none'),
    FERNLAB_NODE_FILE: '/nowhere',
  })
  assert.is(await ended, 1)
  assert.is(errors(), '/nowhere:1:1: there is no such file\n')
})

test('npm run edge takes paths from where the person is, and says how to enrol first', async () => {
  const own = join(folder, 'own')
  mkdirSync(own)
  writeFileSync(join(own, 'mine.yaml'), 'node: n7\nhub: { url: mqtt://127.0.0.1:1 }\ninstruments: {}\nbenches: {}\n')
  const { ended, errors } = startProgram(
    process.execPath,
    ['scripts/start/part.mjs', 'edge', '--config', 'mine.yaml'],
    { FERNLAB_DATA: 'data', npm_lifecycle_event: 'edge', INIT_CWD: own },
  )
  assert.is(await ended, 1)
  assert.match(errors(), /^node: n7 is not enrolled: .*"fernlab node enroll n7".*--enroll CODE/)
  assert.ok(existsSync(join(own, 'data/nodes/n7')))
})

for (const name of hubs) {
  test(`${name} logs at the level that the settings file names`, async () => {
    const data = join(folder, `level-${name}`)
    mkdirSync(join(data, 'hub'), { recursive: true })
    writeFileSync(join(data, 'hub', 'settings.json'), '{ "logLevel": "debug", "demo": false }\n')
    const program = startProgram(process.execPath, programs[name], { FERNLAB_DATA: data })
    await untilPrinted(program, /page {4}http/)
    process.kill(program.pid, 'SIGTERM')
    assert.is(await program.ended, 0)
    assert.match(program.output(), name === 'npm start' ? / debug the database is open/ : /"level":20,/)
    assert.not.match(program.output(), 'the node is up')
  })
}

test.run()
