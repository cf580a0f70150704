/** What a person types on a machine that has a node and nothing else of Fernlab: `fernlab doctor`, `fernlab driver`, `fernlab daemon`, `fernlab node token`, `fernlab enroll`. */
import { join } from 'node:path'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, formatIssues, LabError } from '@fernlab/shared/primitives/lab-error'
import { readAuthority } from '@fernlab/shared/programs/authority'
import { daemonVerb, daemonVerbs } from '@fernlab/shared/programs/daemon-verbs'
import { isMain } from '@fernlab/shared/programs/is-main'
import { createJsonLog } from '@fernlab/shared/programs/json-log'
import { nodeToken } from '@fernlab/shared/programs/node-token'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import type { Environment } from '@fernlab/shared/programs/settings-reader'
import { lockDataFolder } from '@fernlab/shared/storage/data-folder'
import { loadConfig } from './config/config.ts'
import { parseProcessConfig } from './config/process-config.ts'
import { addedBeside } from './discovery/added-beside.ts'
import { addedLines } from './discovery/added-lines.ts'
import { findingLines } from './discovery/finding-lines.ts'
import { addFound, lookAround } from './discovery/look-around.ts'
import { driverLanguages } from './driver-kit/new-driver.ts'
import { makeService, serviceLanguages } from './driver-kit/new-service.ts'
import { builtInDrivers } from './drivers/drivers.ts'
import { enroll } from './settings/enroll.ts'
import { openNodeSettings } from './settings/settings.ts'

export interface Told {
  readonly args: readonly string[]
  readonly env: Environment
  /** Columns of the terminal; where there is none, lines are as long as they are. */
  readonly columns: number | undefined
  out(line: string): void
  /** For what is no result. */
  err(line: string): void
}

const usage = [
  'fernlab doctor [--scan] [--node FILE] [--json]',
  'fernlab node add-instrument FIND [--name NAME] [--driver KIND] [--set KEY=VALUE]… [--dry-run] [--node FILE]',
  'fernlab node token PERSON [--service NAME]… [--right read|use|lock|unlock]… [--hours HOURS] [--node NAME] [--json]',
  'fernlab node token --revoke PERSON… | --revoke-all [--node NAME] [--json]',
  'fernlab driver new DIR [--language typescript|python|c] [--json]',
  'fernlab driver test DIR [--on ENTRY] [--json]',
  'fernlab service new DIR [--language typescript|python] [--json]',
  'fernlab daemon ps|info|up|down|reload|logs [DAEMON]… [--node NAME] [--lines COUNT] [--follow] [--export FILE] [--json]',
  'fernlab daemon unlock SERVICE… [--reason TEXT] | rename SERVICE NAME [--file NODE.YAML]',
  'fernlab enroll --hub ADDRESS --code CODE [--node FILE]',
].join(' | ')

/** Does what was typed; rejects with a LabError that says what is wrong. */
export async function nodeCommand({ args, env, columns, out, err }: Told): Promise<void> {
  const [verb = '', ...rest] = args
  switch (verb) {
    case 'doctor':
      return await doctor(rest, env, columns, out)
    case 'enroll':
      return await enrol(rest, env, out)
    case 'driver':
      if (rest[0] === 'new') return await newOwnDriver(rest.slice(1), out, err)
      if (rest[0] === 'test') return await testOwnDriver(rest.slice(1), out)
      break
    case 'service':
      if (rest[0] === 'new') return await newOwnService(rest.slice(1), out, err)
      break
    case 'daemon':
      return await daemon(rest, env, out)
    case 'node':
      if (rest[0] === 'add-instrument') return await add(rest.slice(1), env, out)
      if (rest[0] === 'token') return await token(rest.slice(1), env, out, err)
      break
  }
  const said = ['node', 'driver', 'service'].includes(verb) ? `${verb} ${rest[0] ?? ''}`.trim() : verb
  throw mistake(said === '' ? `say what to do: ${usage}` : `there is no "${said}" on a node; there is ${usage}`)
}

async function doctor(args: string[], env: Environment, columns: number | undefined, out: Told['out']): Promise<void> {
  const options = { node: { type: 'string' }, json: { type: 'boolean' }, scan: { type: 'boolean' } } as const
  const { node, json, scan = false } = readArguments({ args, options }, usage).values
  const file = node ?? (env.FERNLAB_NODE_FILE || undefined)
  const { dataFolder } = parseProcessConfig(env, process.cwd())
  const findings = await lookAround({ scans: scan, dataFolder, ...(file === undefined ? {} : { nodeFile: file }) })
  if (json) out(JSON.stringify(findings, null, 2))
  else for (const line of findingLines(findings, columns ?? Number.POSITIVE_INFINITY)) out(line)
  const broken = findings.filter(({ verdict }) => verdict === 'broken').length
  if (broken > 0) throw mistake(`${broken} of ${findings.length} checks found something broken`)
}

async function daemon(args: string[], env: Environment, out: Told['out']): Promise<void> {
  const options = {
    node: { type: 'string' },
    lines: { type: 'string' },
    follow: { type: 'boolean', default: false },
    export: { type: 'string' },
    reason: { type: 'string', default: '' },
    file: { type: 'string' },
    json: { type: 'boolean', default: false },
  } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const [given, ...daemons] = positionals
  const verb = daemonVerbs.find((each) => each === given)
  if (verb === undefined) throw mistake(`say what to do with daemons: ${daemonVerbs.join(', ')}; usage: ${usage}`)
  const asked = values.lines ?? (values.export === undefined ? '100' : '9999')
  if (!/^[1-9]\d{0,3}$/.test(asked)) throw mistake(`--lines is "${asked}"; it may be 1 to 9999`)
  const { dataFolder, nodeFile } = parseProcessConfig(env, process.cwd())
  const interrupted = new AbortController()
  const stop = () => interrupted.abort()
  process.once('SIGINT', stop)
  try {
    const { node, follow, json, reason, export: exportTo } = values
    const file = values.file ?? (env.FERNLAB_NODE_FILE ? nodeFile : undefined)
    const { signal } = interrupted
    const logs = { lines: Number(asked), follow, exportTo }
    const common = { daemons, dataFolder, node, json, out, signal, clock: systemClock }
    await daemonVerb(verb, { ...common, ...logs, reason, nodeFile: file })
  } finally {
    process.off('SIGINT', stop)
  }
}

async function token(args: string[], env: Environment, out: Told['out'], err: Told['err']): Promise<void> {
  const text = { type: 'string' } as const
  const several = { ...text, multiple: true } as const
  const options = {
    service: several,
    right: several,
    hours: text,
    revoke: several,
    'revoke-all': { type: 'boolean' },
    node: text,
    json: { type: 'boolean' },
  } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const [person, ...others] = positionals
  if (others.length > 0) throw mistake(`name one person; usage: ${usage}`)
  const { service: services = [], right: rights = [], hours, revoke = [], node, json = false } = values
  const asked = { person, services, rights, hours, revoke, revokeAll: values['revoke-all'] === true }
  const { dataFolder } = parseProcessConfig(env, process.cwd())
  const { signal } = new AbortController()
  await nodeToken({ ...asked, node, json, dataFolder, out, err, signal })
}

async function add(args: string[], env: Environment, out: Told['out']): Promise<void> {
  const text = { type: 'string' } as const
  const options = {
    node: text,
    name: text,
    driver: text,
    set: { ...text, multiple: true },
    'dry-run': { type: 'boolean' },
  } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const [find, ...others] = positionals
  if (find === undefined || others.length > 0)
    throw mistake(`name one find, as "fernlab doctor" has it; usage: ${usage}`)
  const { name, driver, set = [], 'dry-run': isDry = false } = values
  const file = values.node ?? (env.FERNLAB_NODE_FILE || undefined)
  const { dataFolder } = parseProcessConfig(env, process.cwd())
  const added = await addFound({
    find,
    dataFolder,
    set,
    isDry,
    ...(file === undefined ? {} : { file }),
    ...(name === undefined ? {} : { name }),
    ...(driver === undefined ? {} : { driver }),
  })
  for (const line of addedLines(added, isDry)) out(line)
}

async function newOwnDriver(args: string[], out: Told['out'], err: Told['err']): Promise<void> {
  const options = { language: { type: 'string' }, json: { type: 'boolean' } } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const { language: given = 'typescript', json = false } = values
  const language = driverLanguages.find((each) => each === given)
  if (language === undefined) throw mistake(`--language is "${given}"; it may be ${driverLanguages.join(', ')}`)
  const { makeDriver } = await import('./driver-kit/driver-commands.ts')
  await makeDriver({ folder: oneFolder(positionals), language, json, out, err })
}

async function newOwnService(args: string[], out: Told['out'], err: Told['err']): Promise<void> {
  const options = { language: { type: 'string' }, json: { type: 'boolean' } } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const { language: given = 'typescript', json = false } = values
  const language = serviceLanguages.find((each) => each === given)
  if (language === undefined) throw mistake(`--language is "${given}"; it may be ${serviceLanguages.join(', ')}`)
  await makeService({ folder: oneFolder(positionals), language, json, out, err })
}

async function testOwnDriver(args: string[], out: Told['out']): Promise<void> {
  const options = { on: { type: 'string' }, json: { type: 'boolean' } } as const
  const { values, positionals } = readArguments({ args, options, allowPositionals: true }, usage)
  const { on, json = false } = values
  const { tryDriver } = await import('./driver-kit/driver-commands.ts')
  const { signal } = new AbortController()
  await tryDriver({ folder: oneFolder(positionals), on, json, clock: systemClock, signal, out })
}

function oneFolder([folder, ...others]: readonly string[]): string {
  if (folder === undefined || others.length > 0) throw mistake(`name one folder; usage: ${usage}`)
  return folder
}

async function enrol(args: string[], env: Environment, out: Told['out']): Promise<void> {
  const options = { node: { type: 'string' }, hub: { type: 'string' }, code: { type: 'string' } } as const
  const { node: given, hub, code } = readArguments({ args, options }, usage).values
  if (hub === undefined || code === undefined) throw mistake(`--hub and --code are both needed; usage: ${usage}`)
  if (!/^https?:\/\//.test(hub) || !URL.canParse(hub))
    throw mistake(`--hub is ${JSON.stringify(hub)}; it must be an address that begins with http:// or https://`)
  const settings = parseProcessConfig(env, process.cwd())
  const nodeFile = given ?? settings.nodeFile
  const added = await addedBeside(nodeFile, settings.dataFolder)
  const { node } = (await loadConfig({ file: nodeFile }, builtInDrivers(), undefined, added)).file
  const dataFolder = join(settings.dataFolder, 'nodes', node)
  const ca = await readAuthority(settings.caFile)
  // A node that runs would not see its new credential.
  const lock = await lockDataFolder(dataFolder, 'node')
  try {
    const kept = await openNodeSettings(dataFolder, createJsonLog('warn'))
    const { site } = await enroll({ hubUrl: hub, code, node, settings: kept, ca })
    out(`${node} is enrolled at ${site}`)
  } finally {
    lock.release()
  }
}

const mistake = (message: string): LabError => new LabError({ code: 'bad-argument', kind: 'caller', message })

if (isMain(import.meta.url)) {
  try {
    const { isTTY, columns } = process.stdout
    await nodeCommand({
      args: process.argv.slice(2),
      env: process.env,
      columns: isTTY ? columns : undefined,
      out: (line) => process.stdout.write(`${line}\n`),
      err: (line) => process.stderr.write(`${line}\n`),
    })
  } catch (error) {
    const { message, issues } = asLabError(error)
    const further = issues.length === 0 ? '' : `\n${formatIssues(issues)}`
    process.stderr.write(`fernlab: ${message === formatIssues(issues) ? message : `${message}${further}`}\n`)
    process.exitCode = 1
  }
}
