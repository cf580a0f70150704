import { type ApiParts, createApi } from '@fernlab/hub/api/api'
import { HUB_VERSION } from '@fernlab/hub/version'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'

/** openapi.json and asyncapi.json as a hub serves them, for a site that is called `here`. */
export async function apiDocuments(): Promise<Readonly<Record<string, unknown>>> {
  // Every route, and nothing behind them: only those that describe the rest are called.
  const parts: Partial<ApiParts> = {
    clock: systemClock,
    log: silentLog,
    monitoring: { noteRequest: () => {} } as unknown as ApiParts['monitoring'],
    config: {
      site: 'here',
      title: 'Here',
      version: HUB_VERSION,
      publicUrl: () => 'http://127.0.0.1:8080',
      mqttUrls: () => ['mqtt://127.0.0.1:1883'],
      secure: false,
      mail: false,
      trustedProxies: [],
      frames: () => [],
    },
  }
  const api = await createApi(parts as ApiParts)
  const names = ['openapi.json', 'asyncapi.json']
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await (await api.request(`/${name}`)).json()])),
  )
}
