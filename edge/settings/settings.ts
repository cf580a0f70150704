/** The node's identity, credential and calibrations: a small file that a person may read and edit. */
import { join } from 'node:path'
import { calibrationHistoriesSchema } from '@fernlab/shared/contracts/calibrations'
import { serviceKeySchema } from '@fernlab/shared/contracts/services'
import type { Log } from '@fernlab/shared/primitives/log'
import { openSettingsFile, type SettingsFile } from '@fernlab/shared/storage/settings-file'
import * as z from 'zod'

export const nodeSettingsSchema = z.object({
  node: z.string().optional(),
  site: z.string().optional(),
  /** From enrolment. */
  username: z.string().optional(),
  password: z.string().optional(),
  mqttUrl: z.string().optional(),
  hubUrl: z.string().optional(),
  /** The hub's public keys, by which tokens for services are known without it. */
  serviceKeys: z.array(serviceKeySchema).optional(),
  /** Of the hub's page, which may come to the node from browsers. */
  pageOrigin: z.string().optional(),
  /** The key by which the node signs tokens itself (RFC 8037). */
  ownServiceKey: z.object({ x: z.string(), d: z.string() }).optional(),
  /** How many tokens it has signed, and up to which those of a person, or all, are ended. */
  ownTokens: z
    .object({
      signed: z.int().min(0),
      ended: z.record(z.string(), z.int().min(0)),
      allEnded: z.int().min(0).optional(),
      /** The newest of each person for whom it has signed some. */
      people: z.record(z.string(), z.int().min(0)).optional(),
    })
    .optional(),
  calibrations: calibrationHistoriesSchema.optional(),
})
export type NodeSettings = z.infer<typeof nodeSettingsSchema>

/** Opens `settings.json` in the node's data folder; empty before enrolment. */
export function openNodeSettings(dataFolder: string, log: Log): Promise<SettingsFile<NodeSettings>> {
  return openSettingsFile({ path: join(dataFolder, 'settings.json'), schema: nodeSettingsSchema, initial: {}, log })
}
