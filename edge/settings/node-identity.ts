/** Who the node is: its name in node.yaml, and the site whose it is. */

import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { SettingsFile } from '@fernlab/shared/storage/settings-file'
import type { NodeConfig } from '../config/config.ts'
import { type NodeSettings, openNodeSettings } from './settings.ts'

export interface OpenIdentityOptions {
  readonly file: Pick<NodeConfig['file'], 'node' | 'site'>
  readonly dataFolder: string
  readonly log: Log
  /** Enrols the node first. */
  readonly enrollAt?: { readonly hubUrl: string; readonly code: string } | undefined
  /** Instead of the enrolled or configured one. */
  readonly site?: string | undefined
  readonly ca?: string | undefined
}

export interface NodeIdentity {
  readonly settings: SettingsFile<NodeSettings>
  readonly site: string
}

/** The node's settings and its site; rejects with `configuration-invalid` where it is nobody's, or another's by its name. */
export async function openIdentity(options: OpenIdentityOptions): Promise<NodeIdentity> {
  const { file, dataFolder, log, enrollAt, ca } = options
  const { node } = file
  const settings = await openNodeSettings(dataFolder, log)
  if (enrollAt !== undefined) {
    // Loaded when needed: a node enrols once, and then need not keep the schemas of the hub's whole API.
    const { enroll } = await import('./enroll.ts')
    const enrolled = await enroll({ ...enrollAt, node, settings, ca })
    log.info(enrolled, 'the node is enrolled')
  }
  const site = options.site ?? file.site ?? settings.data.site
  if (site === undefined) {
    const how = `make a code with "fernlab node enroll ${node}" and start the node with --hub ADDRESS --enroll CODE`
    throw wrong(`${node} is not enrolled: ${how}; one that needs no enrolment has \`site\` in node.yaml`)
  }
  if (settings.data.node !== undefined && settings.data.node !== node) {
    throw wrong(`this node was enrolled as ${settings.data.node}, but node.yaml says ${node}`)
  }
  return { settings, site }
}

function wrong(message: string): LabError {
  return new LabError({
    code: 'configuration-invalid',
    kind: 'configuration',
    message: `node: ${message}`,
    issues: [{ path: 'node', message }],
  })
}
