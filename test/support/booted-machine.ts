/** A Debian machine of its own, booted with systemd in a container, on a network that it shares with this one alone. */
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ended, runCommand } from './command.ts'
import { root } from './source-files.ts'

const suite = 'trixie'
const packages = 'systemd-sysv,dbus,udev,nodejs,procps,ca-certificates'
/** Beside what npm installed: not in git, and kept from run to run. */
const cache = join(root, 'node_modules', '.cache', 'fernlab-tests', `debian-${suite}`)

/** Why no machine can be booted here, as listed in skips.json; undefined where it can. */
export const noMachine = (): string | undefined =>
  process.getuid?.() === 0 ? undefined : 'needs root to boot a machine in a container'

/** The files of a fresh system; fetched from Debian the first time, which takes a minute or two. */
export function debianFiles(): string {
  if (existsSync(cache)) return cache
  mkdirSync(join(cache, '..'), { recursive: true })
  const unfinished = mkdtempSync(`${cache}-`)
  try {
    must('debootstrap', ['--variant=minbase', `--include=${packages}`, suite, unfinished])
    rmSync(join(unfinished, 'var/cache/apt/archives'), { recursive: true, force: true })
    renameSync(unfinished, cache)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw error
  }
  return cache
}

export interface Machine {
  /** This machine's address on the network of both. */
  readonly hostAddress: string
  /** Boots it, and waits until its services are up. */
  boot(): Promise<void>
  /** Shuts it down as its button would. */
  shutDown(): Promise<void>
  /** Runs a command in it, as root. */
  run(command: string, ...args: string[]): Promise<Ended>
  /** Ends it and removes what it wrote. */
  end(): Promise<void>
}

const bootLimitMs = 60_000
const shutDownLimitMs = 20_000

/** A machine that is off; `source` is what it has, for reading only, at `/fernlab`. */
export function createMachine(source: string): Machine {
  const files = debianFiles()
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-machine-'))
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((name) => {
    mkdirSync(join(folder, name))
    return join(folder, name)
  }) as [string, string, string]
  must('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${files},upperdir=${upper},workdir=${work}`, merged])
  const bridge = `flb${randomInt(1_000_000)}`
  const net = `10.199.${randomInt(256)}`
  const [hostAddress, address] = [`${net}.1`, `${net}.2`]
  must('ip', ['link', 'add', bridge, 'type', 'bridge'])
  must('ip', ['address', 'add', `${hostAddress}/24`, 'dev', bridge])
  must('ip', ['link', 'set', bridge, 'up'])
  let container: { readonly pid: number; readonly ended: Promise<void>; readonly said: () => string } | undefined
  let leader = 0

  const run = (command: string, ...args: string[]) =>
    runCommand('nsenter', ['-t', `${leader}`, '-m', '-u', '-i', '-n', '-p', '--root', '--wd', command, ...args], {
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
    })

  const start = () => {
    const options = ['--register=no', '--keep-unit', '--private-network', '-q', '-b', '--console=read-only']
    const container = ['systemd-nspawn', ...options, `--bind-ro=${source}:/fernlab`, '-D', merged]
    // Should these tests be killed, it shuts down as well.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...container], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk
      })
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return { pid: child.pid ?? -1, ended, said: () => text }
  }

  const connect = () => {
    const end = `fle${randomInt(1_000_000)}`
    must('ip', ['link', 'add', end, 'type', 'veth', 'peer', 'name', 'host0', 'netns', `${leader}`])
    must('ip', ['link', 'set', end, 'master', bridge, 'up'])
    const inside = (...args: string[]) => must('nsenter', ['-t', `${leader}`, '-n', 'ip', ...args])
    inside('address', 'replace', `${address}/24`, 'dev', 'host0')
    inside('link', 'set', 'host0', 'up')
  }

  const boot = async () => {
    const started = start()
    container = started
    leader = await until(bootLimitMs, started.said, () => childOf(started.pid))
    connect()
    await until(bootLimitMs, started.said, async () => {
      const { code } = await run('systemctl', '--quiet', 'is-active', 'multi-user.target')
      return code === 0 ? true : undefined
    })
  }

  const shutDown = async () => {
    if (container === undefined) return
    const { pid, ended } = container
    container = undefined
    process.kill(pid, 'SIGTERM')
    const gone = new AbortController()
    const late = sleep(shutDownLimitMs, undefined, { signal: gone.signal }).then(
      () => process.kill(pid, 'SIGKILL'),
      () => {},
    )
    await ended
    gone.abort()
    await late
  }

  const end = async () => {
    await shutDown()
    must('umount', [merged])
    must('ip', ['link', 'delete', bridge])
    rmSync(folder, { recursive: true, force: true })
  }
  return { hostAddress, boot, shutDown, run, end }
}

/** The first process in the container; undefined until it runs: what starts it is a child for a moment, too. */
function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const found = children.find((child) => child !== '' && nameOf(child) === 'systemd')
  return found === undefined ? undefined : Number(found)
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

async function until<T>(limitMs: number, said: () => string, look: () => Promise<T | undefined> | T | undefined) {
  const deadline = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`the machine is not up after ${limitMs} ms\n${said()}`)
    await sleep(100)
  }
}

function must(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `${stdout.slice(-2000)}${stderr}`}`)
}
