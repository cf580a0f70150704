/**
 * The guest's runner: runs a test file when the host says so, and tells it the outcomes.
 *
 * INVARIANTS: one file at a time, in its own process group; its modules are loaded before it and removed after it, so
 * no file sees what another one has left.
 */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, createReadStream, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { release } from 'node:os'
import { type GuestMessage, type HostMessage, messageReader, type TestEvent } from '../messages.ts'

const port = process.argv[2] ?? ''
const reportPath = '/tmp/report.jsonl'
const outputPath = '/tmp/output.txt'
const output = openSync(port, 'w')
const say = (message: GuestMessage) => {
  const line = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let sent = 0; sent < line.length; ) sent += writeSync(output, line, sent)
}

let reply: (message: Extract<HostMessage, { kind: 'reply' }>) => void = () => {}
createReadStream(port).on(
  'data',
  messageReader<HostMessage>((message) => {
    if (message.kind === 'reply') reply(message)
    else void run(message)
  }) as (chunk: Buffer | string) => void,
)
say({ kind: 'ready', release: release(), node: process.version })

async function run({ path, modules, limitMs }: Extract<HostMessage, { kind: 'run' }>): Promise<void> {
  for (const stale of [reportPath, outputPath]) rmSync(stale, { force: true })
  const loaded: string[] = []
  const failures: TestEvent[] = []
  const attempt = (what: () => void) => {
    try {
      what()
    } catch (error) {
      failures.push({ event: 'fail', suite: '', test: '(file)', error: `in the guest: ${text(error)}` })
    }
  }
  for (const module of modules) {
    attempt(() => {
      const [name = module, ...parameters] = module.split(' ')
      // As a dependency of another one, without what this file wants of it.
      if (parameters.length > 0 && isLoaded(name)) throw new Error(`${name} is loaded already`)
      execute('modprobe', [name, ...parameters])
      loaded.unshift(name)
    })
  }
  const ended = failures.length > 0 ? notRun : await runFile(path, limitMs)
  // What they depend on stays.
  for (const name of loaded) attempt(() => execute('rmmod', [name]))
  say({ kind: 'end', ...ended, events: [...ended.events, ...failures] })
}

type Ended = Omit<Extract<GuestMessage, { kind: 'end' }>, 'kind'>
const notRun: Ended = { events: [], output: '', code: 1, signal: null }

const isLoaded = (name: string) => readFileSync('/proc/modules', 'utf8').includes(`${name.replaceAll('-', '_')} `)

function execute(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
}

async function runFile(path: string, limitMs: number): Promise<Ended> {
  const outputFile = openSync(outputPath, 'w')
  const child = spawn(process.execPath, [path], {
    detached: true,
    stdio: ['ignore', outputFile, outputFile, 'ipc'],
    env: { ...process.env, FERNLAB_TEST_REPORT: reportPath },
  })
  closeSync(outputFile)
  child.on('message', (message) => say({ kind: 'call', ...(message as Call) }))
  reply = (message) => {
    if (child.connected) child.send(message)
  }
  const startedAt = performance.now()
  let timedOutMs: number | undefined
  const timer = setInterval(() => {
    const allowedMs = Math.max(limitMs, ...readEvents().map((event) => event.fileTimeoutMs ?? 0))
    if (performance.now() - startedAt < allowedMs) return
    timedOutMs = allowedMs
    endGroup(child.pid)
  }, 1000)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('error', (error) => resolve([null, error.message]))
    child.once('exit', (exitCode, exitSignal) => resolve([exitCode, exitSignal]))
  })
  clearInterval(timer)
  reply = () => {}
  endGroup(child.pid)
  const printed = readFileSync(outputPath, 'utf8').slice(-20_000)
  return { events: readEvents(), output: printed, code, signal, ...(timedOutMs === undefined ? {} : { timedOutMs }) }
}

interface Call {
  readonly id: number
  readonly operation: string
  readonly args: readonly unknown[]
}

function readEvents(): TestEvent[] {
  if (!existsSync(reportPath)) return []
  const lines = readFileSync(reportPath, 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as TestEvent)
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const text = (error: unknown): string => {
  const stderr = (error as { stderr?: string }).stderr ?? ''
  return `${error instanceof Error ? error.message : String(error)} ${stderr}`.trim()
}
