import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './source-files.ts'

/** `npm start` as its own process on free ports, with an admin token. */
export interface RunningFernlab {
  readonly http: string
  readonly mqtt: string
  readonly token: string
  readonly dataFolder: string
  /** Of the process that was started; with the part `hub` it is the hub. */
  readonly pid: number
  /** The environment of a client beside it: FERNLAB_HUB, FERNLAB_TOKEN, FERNLAB_DATA, a home folder of its own. */
  readonly clientEnv: Record<string, string | undefined>
  /** What it printed so far. */
  output(): string
  /** Sends the signal; resolves with the exit code and how long it took. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; ms: number }>
  /** Ends it if it runs, and removes its data unless told to keep them; rejects when it died by itself. */
  cleanUp(options?: { keepData?: boolean }): Promise<void>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Started before on the same data. */
  readonly dataFolder?: string
  /** `start`, `hub` for the hub alone, or `npm start` as a person types it. */
  readonly part?: 'start' | 'hub' | 'npm start'
  readonly readyMs?: number
}

const token = 'test-token-of-the-first-admin-0123456789'

/** Starts the built product and waits until the hub is ready; rejects with its output when it is not. */
export async function startFernlab(options: StartOptions = {}): Promise<RunningFernlab> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'fernlab-run-'))
  const script = options.part === 'hub' ? ['scripts/start/part.mjs', 'hub'] : ['scripts/start/start.mjs']
  const endpointsPath = join(dataFolder, 'endpoints.json')
  rmSync(endpointsPath, { force: true })
  const { CI: _ci, ...inherited } = process.env
  const [command, args] = options.part === 'npm start' ? ['npm', ['start']] : [process.execPath, script]
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited,
      FERNLAB_DATA: dataFolder,
      FERNLAB_PORT: '0',
      FERNLAB_MQTT_PORT: '0',
      FERNLAB_ADMIN_TOKEN: token,
      ...options.env,
    },
  })
  let printed = ''
  let asked = false
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  child.stderr.on('data', (chunk) => {
    printed += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  try {
    const { http, mqtt } = await untilReady({
      child,
      endpointsPath,
      readyMs: options.readyMs ?? 100_000,
      printed: () => printed,
    })
    return {
      http,
      mqtt,
      token,
      dataFolder,
      pid: child.pid ?? -1,
      clientEnv: {
        ...inherited,
        HOME: dataFolder,
        XDG_CONFIG_HOME: join(dataFolder, 'client'),
        FERNLAB_HUB: http,
        FERNLAB_TOKEN: token,
        FERNLAB_DATA: dataFolder,
      },
      output: () => printed,
      stop: async (signal = 'SIGTERM') => {
        asked = true
        const startedAt = performance.now()
        child.kill(signal)
        return { code: await ended, ms: performance.now() - startedAt }
      },
      cleanUp: async ({ keepData = false } = {}) => {
        const died = !asked && (child.exitCode !== null || child.signalCode !== null)
        asked = true
        child.kill('SIGKILL')
        await ended
        if (!keepData) rmSync(dataFolder, { recursive: true, force: true })
        if (died) throw new Error(`it ended by itself (${child.exitCode ?? child.signalCode})\n${printed}`)
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    throw new Error(`${(error as Error).message}\n${printed}`)
  }
}

async function untilReady({
  child,
  endpointsPath,
  readyMs,
  printed,
}: {
  child: ChildProcess
  endpointsPath: string
  readyMs: number
  printed: () => string
}): Promise<{ http: string; mqtt: string }> {
  const deadline = performance.now() + readyMs
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode} before it was ready`)
    if (existsSync(endpointsPath)) {
      const endpoints = JSON.parse(readFileSync(endpointsPath, 'utf8')) as { http: string; mqtt: string }
      const ready = await fetch(`${endpoints.http}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready && printed().includes(endpoints.http)) return endpoints
    }
    await sleep(50)
  }
  throw new Error(`it was not ready within ${readyMs} ms`)
}
