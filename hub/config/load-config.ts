import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '@fernlab/shared/primitives/log'
import { dataFolderOf, type Environment } from '@fernlab/shared/programs/settings-reader'
import { makeDataFolder } from '@fernlab/shared/storage/data-folder'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import { type ConfigDefaults, type HubConfig, parseConfig, settingsSchema } from './config.ts'

/** Reads `hub/settings.json` in the data folder (made when missing) and the environment into the hub's settings. */
export async function loadConfig(
  env: Environment,
  cwd: string,
  log: Log,
  defaults: ConfigDefaults = {},
): Promise<HubConfig> {
  const folder = join(dataFolderOf(env, cwd), 'hub')
  await makeDataFolder(folder)
  const path = join(folder, 'settings.json')
  const file = await openSettingsFile({ path, schema: settingsSchema, initial: {}, log })
  if (!existsSync(path)) await file.update(() => {})
  return parseConfig(env, file.data, cwd, defaults)
}
