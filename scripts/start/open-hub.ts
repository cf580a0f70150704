import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@fernlab/hub/config/load-config'
import { type Hub, startHub } from '@fernlab/hub/main'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'

export interface OpenHubOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Log
}

export interface OpenedHub {
  readonly hub: Hub
  readonly demo: boolean
  readonly dataFolder: string
}

/** Starts the hub that the environment and the settings file describe, with the page that was built beside it. */
export async function openHub({ env, clock, log }: OpenHubOptions): Promise<OpenedHub> {
  const config = await loadConfig(env, process.cwd(), log)
  // Sources and compiled code lie at different depths; this plain file lies at one.
  const here = import.meta.resolve('fernlab/start/part.mjs')
  const webFolder = fileURLToPath(new URL('../../hub/web/dist/', here))
  const labs = fileURLToPath(new URL('../', import.meta.resolve('@fernlab/shared/labs/demo-node/node.yaml')))
  const hub = await startHub({
    config,
    clock,
    log,
    ...(existsSync(webFolder) ? { webFolder } : {}),
    ...(config.demo ? { demoCatalogueFolder: labs } : {}),
  })
  return { hub, demo: config.demo, dataFolder: config.dataFolder }
}

/** What a person needs who has just started a hub. */
export function welcome(hub: Hub): string {
  const setUp = hub.setupUrl === undefined ? '' : `\n  set up  ${hub.setupUrl}   (once: makes you the first admin)`
  return `\n  page    ${hub.httpUrl}${setUp}\n\n  Ctrl-C stops it.\n\n`
}
