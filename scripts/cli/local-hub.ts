import { existsSync } from 'node:fs'
import type { HubConfig } from '@fernlab/hub/config/config'
import type { Store } from '@fernlab/hub/store/store'
import { silentLog } from '@fernlab/shared/primitives/log'
import { dataFolderOf } from '@fernlab/shared/programs/settings-reader'
import { mistake } from './problem.ts'

/** The data of the hub on this machine, whether it runs or not. */
export interface LocalHub {
  readonly config: HubConfig
  /** The caller closes it. */
  readonly store: Store
}

/** Opens the data of the hub that the environment names; never makes one. The hub's code is loaded only here. */
export async function openLocalHub(env: Readonly<Record<string, string | undefined>>): Promise<LocalHub> {
  const [{ loadConfig }, { openStore, sqlitePath }] = await Promise.all([
    import('@fernlab/hub/config/load-config'),
    import('@fernlab/hub/store/store'),
  ])
  const folder = dataFolderOf(env, process.cwd())
  if (!existsSync(folder)) throw noHub(folder)
  const config = await loadConfig(env, process.cwd(), silentLog)
  const path = sqlitePath(config.databaseUrl)
  if (!existsSync(path)) throw noHub(path)
  return { config, store: await openStore({ url: config.databaseUrl, log: silentLog }) }
}

const noHub = (path: string) =>
  mistake('no-hub-here', `there is no hub's data at ${path}`, 'Name its data folder with FERNLAB_DATA.')
