/** Runs one hub as a process until a signal. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Log, LogLevel } from '@fernlab/shared/primitives/log'
import { isMain } from '@fernlab/shared/programs/is-main'
import { createJsonLog } from '@fernlab/shared/programs/json-log'
import { runUntilStopped } from '@fernlab/shared/programs/run-until-stopped'
import { type Environment, settingWrong } from '@fernlab/shared/programs/settings-reader'
import type { ConfigDefaults, HubConfig } from './config/config.ts'
import { loadConfig } from './config/load-config.ts'
import { type FaultHook, hubFaultPoints } from './fault-point.ts'
import { type Hub, startHub } from './main.ts'

export interface OpenHubOptions {
  readonly env: Environment
  readonly defaults?: ConfigDefaults
  /** Makes the log of the level that the settings ask for. */
  readonly createLog: (level: LogLevel) => Log
}

/** Starts the hub that the environment and the settings file describe, with the page that was built beside it. */
export async function openHub({
  env,
  defaults = {},
  createLog,
}: OpenHubOptions): Promise<{ hub: Hub; config: HubConfig; log: Log }> {
  const config = await loadConfig(env, process.cwd(), createLog(defaults.logLevel ?? 'info'), defaults)
  const log = createLog(config.logLevel)
  // Beside the sources; the compiled file is one folder below.
  const webFolder = ['./web/dist/', '../web/dist/']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
  const labs = fileURLToPath(new URL('../', import.meta.resolve('@fernlab/shared/labs/demo-node/node.yaml')))
  const hub = await startHub({
    config,
    clock: systemClock,
    log,
    ...(webFolder === undefined ? {} : { webFolder }),
    ...(config.demo ? { demoCatalogueFolder: labs } : {}),
    ...faultPointOf(env.FERNLAB_FAULT_POINT),
  })
  return { hub, config, log }
}

/** What a person needs who has just started a hub. */
export function welcome(hub: Hub): string {
  const setUp = hub.setupUrl === undefined ? '' : `\n  set up  ${hub.setupUrl}   (once: makes you the first admin)`
  return `\n  page    ${hub.httpUrl}${setUp}\n\n  Ctrl-C stops it.\n\n`
}

/** Runs until a signal; the address and the set-up link go to standard output, the log to standard error. */
export async function main({ env }: { readonly env: Environment }): Promise<never> {
  return await runUntilStopped(async () => {
    const { hub } = await openHub({ env, createLog: createJsonLog })
    process.stdout.write(welcome(hub))
    return { stop: () => hub.close() }
  })
}

/** `name` or `name:n`: kills this process the first (n-th) time that it passes the point; for fault tests. */
function faultPointOf(text: string | undefined): { faultPoint?: FaultHook } {
  if (text === undefined) return {}
  const [name, times = '1'] = text.split(':')
  if (!hubFaultPoints.some((known) => known === name)) {
    throw settingWrong('FERNLAB_FAULT_POINT', `is ${text}; it may be ${hubFaultPoints.join(', ')}`)
  }
  let left = Number(times)
  return {
    faultPoint: (passed) => {
      if (passed === name && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}

if (isMain(import.meta.url)) await main({ env: process.env })
