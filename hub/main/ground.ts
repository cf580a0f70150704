/** What everything else stands on: the data folder, the database, people, the catalogue. */
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readAuthority } from '@fernlab/shared/programs/authority'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import { settingWrong } from '@fernlab/shared/programs/settings-reader'
import { lockDataFolder } from '@fernlab/shared/storage/data-folder'
import { createAccounts } from '../accounts/accounts.ts'
import { createCatalogue } from '../catalogue/catalogue.ts'
import type { HubConfig } from '../config/config.ts'
import { readTls } from '../config/read-tls.ts'
import { createGroups } from '../groups/groups.ts'
import { createMail } from '../mail/mail.ts'
import { createMaintenance } from '../maintenance/maintenance.ts'
import { createMonitoring } from '../monitoring/monitoring.ts'
import { createResults } from '../results/results.ts'
import { openKnownLabs } from '../runs/known-labs.ts'
import { openStore, sqlitePath } from '../store/store.ts'
import type { Basics } from './basics.ts'

export type Ground = Awaited<ReturnType<typeof openGround>>

/** Opens it; rejects with a configuration-kind LabError of one line where a setting is in the way. */
export async function openGround(
  { config, site, publicUrl, clock, log, faultPoint, onClose }: Basics,
  demoCatalogueFolder: string | undefined,
) {
  const { hubFolder } = config
  const tls = await readTls(config)
  await checkLabsFolder(config)
  if (tls === undefined && !isLoopback(config.host)) {
    const message = 'passwords and tokens travel readable: set FERNLAB_TLS_CERT and FERNLAB_TLS_KEY, or use a proxy'
    log.warn({ host: config.host }, `the hub listens beyond this machine without TLS; ${message}`)
  }
  const databaseFolder = dirname(sqlitePath(config.databaseUrl))
  for (const folder of new Set([hubFolder, databaseFolder])) {
    const lock = await lockDataFolder(folder, 'hub')
    onClose(() => lock.release())
  }
  const store = await openStore({ url: config.databaseUrl, log })
  onClose(() => store.close())

  const secure = tls !== undefined || config.publicUrl?.startsWith('https:') === true
  const maintenance = await createMaintenance({ store, folder: databaseFolder, clock, log })
  onClose(() => maintenance.close())
  const mail = createMail({ smtpUrl: config.smtpUrl, ca: await readAuthority(config.caFile) })
  onClose(() => mail.close())
  const groups = createGroups({ store, clock })
  const accounts = await createAccounts({
    store,
    groups,
    config: { site, publicUrl, secure, dataFolder: hubFolder, ...adminOf(config) },
    mail,
    clock,
    log,
    faultPoint,
  })
  onClose(() => accounts.close())
  const catalogue = createCatalogue({ store, clock, log })
  if (demoCatalogueFolder !== undefined) await catalogue.loadFolder(demoCatalogueFolder)
  if (config.labsFolder !== undefined) onClose(await catalogue.watchFolder(config.labsFolder))
  const labs = await openKnownLabs(catalogue)
  onClose(() => labs.close())
  const results = createResults({ store, site, clock })
  onClose(() => results.close())
  const monitoring = createMonitoring({ clock, log })
  onClose(() => monitoring.close())
  return { tls, secure, store, maintenance, mail, groups, accounts, catalogue, labs, results, monitoring }
}

async function checkLabsFolder({ labsFolder }: HubConfig): Promise<void> {
  if (labsFolder === undefined) return
  try {
    await readdir(labsFolder)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw settingWrong(
      'FERNLAB_LABS',
      `is ${labsFolder}, which can't be read (${code}); it may be a folder of labs`,
      cause,
    )
  }
}

function adminOf({ adminEmail, adminPassword, adminToken }: HubConfig) {
  return {
    ...(adminEmail === undefined ? {} : { adminEmail }),
    ...(adminPassword === undefined ? {} : { adminPassword }),
    ...(adminToken === undefined ? {} : { adminToken }),
  }
}
