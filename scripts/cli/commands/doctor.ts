import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Finding as HeadedFinding } from '@fernlab/edge/discovery/find'
import { meSchema, nodeSchema, readinessSchema, siteSchema } from '@fernlab/shared/contracts/api'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import { nodeVersionProblem } from 'fernlab/install/node-version.mjs'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, withHub } from '../context.ts'
import { findHub, type HubAccess } from '../hub-address.ts'
import { HubClient } from '../hub-client.ts'
import { mistake } from '../problem.ts'
import { spokenTime } from '../shown-time.ts'
import type { Terminal } from '../terminal.ts'
import { ownVersion } from '../version.ts'

/** Without its heading, which all looks at one thing share. */
type Finding = Omit<HeadedFinding, 'group'>

interface DoctorOptions extends HubOptions {
  readonly node?: string
  readonly scan?: boolean
}

const tightBytes = 1_000_000_000
const clockToleranceS = 2

/** `doctor`: looks at this machine and its hub, says what is wrong and what to do; exit 0 when nothing is broken. */
export function addDoctor(program: Command, context: Context): void {
  const { terminal } = context
  withHub(
    program.command('doctor').description('look at what this machine has, and for what is wrong here and on the hub'),
  )
    .option('--node <file>', "the node.yaml of this machine's node")
    .option('--scan', 'ask the I2C buses which addresses answer, also while a node uses them')
    .action(async (options: DoctorOptions) => {
      const access = await findHub(terminal.env, options)
      const data = terminal.env.FERNLAB_DATA ?? './data'
      const nodeFile = options.node ?? (terminal.env.FERNLAB_NODE_FILE || undefined)
      const here = await lookHere(nodeFile, data, options.scan === true)
      const own = [nodeVersion(), await dataFolder(data), ...(await optionalParts())]
      const findings = [
        ...here.filter(({ group }) => group === machine),
        ...headed(machine, own),
        ...here.filter(({ group }) => group !== machine),
        ...headed('Hub', await hub(access)),
      ]
      if (options.json) terminal.out(JSON.stringify(findings, null, 2))
      else await print(terminal, findings)
      const broken = findings.filter((finding) => finding.verdict === 'broken').length
      if (broken > 0) throw mistake('doctor', `${broken} of ${findings.length} checks found something broken`)
    })
}

const machine = 'Machine'

const headed = (group: string, findings: readonly Finding[]): HeadedFinding[] =>
  findings.map((finding) => ({ group, ...finding }))

async function lookHere(nodeFile: string | undefined, dataFolder: string, scans: boolean): Promise<HeadedFinding[]> {
  const { lookAround } = await import('@fernlab/edge/discovery/look-around')
  return await lookAround({ scans, dataFolder, ...(nodeFile === undefined ? {} : { nodeFile }) })
}

async function print(terminal: Terminal, findings: readonly HeadedFinding[]): Promise<void> {
  const { findingLines } = await import('@fernlab/edge/discovery/finding-lines')
  const columns = terminal.interactive ? terminal.columns : Number.POSITIVE_INFINITY
  for (const line of findingLines(findings, columns)) terminal.out(line)
}

function nodeVersion(): Finding {
  const problem = nodeVersionProblem(process.versions.node)
  return { what: 'Node', verdict: problem === undefined ? 'ok' : 'broken', detail: problem ?? process.versions.node }
}

async function dataFolder(folder: string): Promise<Finding> {
  const what = `data folder ${resolve(folder)}`
  try {
    await access(folder, constants.R_OK | constants.W_OK)
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    const detail = `writable, ${(free / 1e9).toFixed(1)} GB free`
    if (free > tightBytes) return { what, verdict: 'ok', detail }
    return { what, verdict: 'look', detail: `${detail}: make room, a full disk refuses new runs` }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return { what, verdict: 'look', detail: 'not there yet; "npm start" makes it, FERNLAB_DATA names another' }
    }
    return { what, verdict: 'broken', detail: `not writable (${(error as NodeJS.ErrnoException).code})` }
  }
}

async function optionalParts(): Promise<Finding[]> {
  try {
    await import('serialport')
    return [{ what: 'serial ports', verdict: 'ok', detail: 'the driver is installed' }]
  } catch {
    const detail = 'the optional package "serialport" does not load here; instruments over TCP work without it'
    return [{ what: 'serial ports', verdict: 'look', detail }]
  }
}

async function hub(access: HubAccess): Promise<Finding[]> {
  const client = new HubClient(access)
  const what = `hub ${access.url}`
  const findings: Finding[] = []
  try {
    const startedAt = performance.now()
    const response = await client.fetch('/healthz', { timeoutMs: 5_000 })
    findings.push({ what, verdict: 'ok', detail: `answers in ${Math.round(performance.now() - startedAt)} ms` })
    findings.push(...clock(response))
  } catch (error) {
    return [broken(what, error)]
  }
  findings.push(...(await looked('readiness', () => readiness(client))))
  findings.push(...(await looked('site', async () => [await site(client)])))
  findings.push(...(access.token === undefined ? [noToken] : await looked('token', () => signedIn(client))))
  return findings
}

/** What a look finds; one that fails is a finding too, beside the others. */
const looked = (what: string, look: () => Promise<Finding[]>): Promise<Finding[]> =>
  look().catch((error: unknown) => [broken(what, error)])

const broken = (what: string, error: unknown): Finding => ({
  what,
  verdict: 'broken',
  detail: asLabError(error).message.replace(/\s*\n\s*/g, '. '),
})

const noToken: Finding = {
  what: 'token',
  verdict: 'look',
  detail: 'none, so only what is public was looked at; "fernlab login" gets one',
}

function clock(response: Response): Finding[] {
  const date = response.headers.get('date')
  if (date === null) return []
  const offsetS = Math.round((Date.parse(date) - Date.now()) / 1000)
  const ok = Math.abs(offsetS) <= clockToleranceS
  const detail = ok ? 'agrees with the hub' : `${offsetS} s behind the hub: set the time of both by NTP`
  return [{ what: 'clock', verdict: ok ? 'ok' : 'look', detail }]
}

async function site(client: HubClient): Promise<Finding> {
  const [{ title, version }, own] = [await client.call(siteSchema, '/api/v1/site'), await ownVersion()]
  const same = version === own
  const detail = `${title}, version ${version}${same ? '' : `; this command line is ${own}: use one of the hub's version`}`
  return { what: 'site', verdict: same ? 'ok' : 'look', detail }
}

async function readiness(client: HubClient): Promise<Finding[]> {
  const response = await client.fetch('/readyz', { timeoutMs: 5_000, anyStatus: true })
  const answer = readinessSchema.safeParse(await response.json())
  if (!answer.success) return [{ what: 'readiness', verdict: 'broken', detail: `/readyz answered ${response.status}` }]
  return Object.entries(answer.data.checks).map(([name, { ok, detail }]) => ({
    what: `hub's ${name}`,
    verdict: ok ? ('ok' as const) : ('broken' as const),
    detail: detail ?? (ok ? 'ready' : 'not ready'),
  }))
}

async function signedIn(client: HubClient): Promise<Finding[]> {
  const me = await client.call(meSchema, '/api/v1/me')
  const nodes = await allPages(client, nodeSchema, '/api/v1/nodes')
  return [
    { what: 'token', verdict: 'ok', detail: `${me.name}, ${me.role}` },
    ...nodes.map((node): Finding => {
      const detail = node.lastSeen === undefined ? node.state : `${node.state}, last seen ${spokenTime(node.lastSeen)}`
      return { what: `node ${node.id}`, verdict: node.state === 'online' ? 'ok' : 'look', detail }
    }),
  ]
}
