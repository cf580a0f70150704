/** Runs one hub as a process until SIGTERM or Ctrl-C. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import pino from 'pino'
import { loadConfig } from './config/load-config.ts'
import { type FaultHook, faultPoints } from './fault-point.ts'
import { startHub } from './main.ts'

const CLOSE_MS = 5000

export interface ProcessOptions {
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs until a signal; resolves with the exit code. The set-up link and the address go to standard output. */
export async function runHubProcess({ env }: ProcessOptions): Promise<number> {
  const log = pino({ level: env.FERNLAB_LOG_LEVEL ?? 'info', base: null }, pino.destination({ dest: 2, sync: true }))
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  try {
    const config = await loadConfig(env, process.cwd(), log)
    // Beside the sources; the compiled file is one folder below.
    const webFolder = ['./web/dist/', '../web/dist/']
      .map((path) => fileURLToPath(new URL(path, import.meta.url)))
      .find((path) => existsSync(path))
    const labs = fileURLToPath(import.meta.resolve('@fernlab/shared/labs/demo-node/node.yaml'))
    const hub = await startHub({
      config,
      log,
      ...(webFolder === undefined ? {} : { webFolder }),
      ...(config.demo ? { demoCatalogueFolder: fileURLToPath(new URL('../', `file://${labs}`)) } : {}),
      ...faultPointOf(env.FERNLAB_FAULT_POINT),
    })
    process.stdout.write(`hub ${hub.httpUrl}\n`)
    if (hub.setupUrl !== undefined) process.stdout.write(`set up ${hub.setupUrl}\n`)
    await stopped
    const late = setTimeout(() => {
      log.error({}, 'the hub did not stop in time')
      process.exit(1)
    }, CLOSE_MS)
    await hub.close()
    clearTimeout(late)
    return 0
  } catch (thrown) {
    const error = asLabError(thrown)
    if (error.kind === 'bug') log.error({ error: String((thrown as Error).stack) }, 'the hub could not start')
    else process.stderr.write(`${error.message}\n`)
    return 1
  }
}

/** `name` or `name:n`: kills this process the first (n-th) time that it passes the point; for fault tests. */
function faultPointOf(text: string | undefined): { faultPoint?: FaultHook } {
  if (text === undefined) return {}
  const [name, times = '1'] = text.split(':')
  if (!faultPoints.some((known) => known === name)) {
    const message = `FERNLAB_FAULT_POINT is ${text}; it may be ${faultPoints.join(', ')}`
    throw new LabError({ code: 'setting-invalid', kind: 'configuration', message })
  }
  let left = Number(times)
  return {
    faultPoint: (passed) => {
      if (passed === name && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}

if (import.meta.url === `file://${process.argv[1]}`) process.exitCode = await runHubProcess({ env: process.env })
