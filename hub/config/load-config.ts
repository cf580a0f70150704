import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import { dataFolderOf, type Environment, type HubConfig, parseConfig, settingsSchema } from './config.ts'

/** Reads `hub/settings.json` in the data folder (made when missing) and the environment into the hub's settings. */
export async function loadConfig(env: Environment, cwd: string, log: Log): Promise<HubConfig> {
  const folder = join(dataFolderOf(env, cwd), 'hub')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'settings.json')
  const file = await openSettingsFile({ path, schema: settingsSchema, initial: {}, log })
  if (!existsSync(path)) await file.update(() => {})
  return parseConfig(env, file.data, cwd)
}
