import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurably } from '@fernlab/shared/storage/settings-file'

/** Where a running hub can be reached. */
export interface Endpoints {
  readonly http: string
  readonly mqtt: string
  readonly mqtts?: string
  /** Of labs' own pages. */
  readonly pages: string
}

/** Writes `endpoints.json` into the data folder, so that other programs find the ports that were chosen. */
export async function writeEndpoints(dataFolder: string, endpoints: Endpoints): Promise<void> {
  await writeDurably(join(dataFolder, 'endpoints.json'), `${JSON.stringify(endpoints, null, 2)}\n`)
}

/** Removes it, with its spare copy, when the hub is stopped. */
export async function removeEndpoints(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, 'endpoints.json'), { force: true })
  await rm(join(dataFolder, 'endpoints.json.bak'), { force: true })
}

/** `host:port` as it stands in an address; listening on every address is reached at this machine's own. */
export function hostAndPort(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable}:${port}`
}
