/** Settings of a node that runs as a process, from the environment; node.yaml is in config.ts. */
import type { LogLevel } from '@fernlab/shared/primitives/log'
import { createSettingsReader, dataFolderOf, type Environment } from '@fernlab/shared/programs/settings-reader'

export interface ProcessConfig {
  /** The folder that holds everything; absolute. */
  readonly dataFolder: string
  readonly nodeFile: string
  readonly logLevel: LogLevel
  readonly site?: string
  /** Instead of the one in node.yaml. */
  readonly brokerUrl?: string
  /** Where to enrol. */
  readonly publicUrl?: string
  readonly port: number
  /** PEM file of an authority to trust besides the system's. */
  readonly caFile?: string
  readonly healthEveryMs?: number
  readonly leastFreeBytes?: number
}

/** Reads the settings; throws one configuration error with a line per wrong one: what it was and what it may be. */
export function parseProcessConfig(env: Environment, cwd: string): ProcessConfig {
  const reader = createSettingsReader({ env, cwd })
  const site = reader.site()
  const brokerUrl = reader.address('FERNLAB_BROKER_URL', ['mqtt://', 'mqtts://', 'ws://', 'wss://'])
  const publicUrl = reader.address('FERNLAB_PUBLIC_URL', ['http://', 'https://'])
  const caFile = reader.file('FERNLAB_TLS_CA')
  const healthEveryMs = reader.checked<number | undefined>(
    'FERNLAB_HEALTH_SECONDS',
    undefined,
    'a number above 0',
    (text) => (Number(text) > 0 && Number(text) < 86_400 ? Number(text) * 1000 : undefined),
  )
  const leastFreeBytes = reader.checked<number | undefined>(
    'FERNLAB_LEAST_FREE_BYTES',
    undefined,
    'a whole number of bytes',
    (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  )
  const config: ProcessConfig = {
    dataFolder: dataFolderOf(env, cwd),
    nodeFile: reader.text('FERNLAB_NODE_FILE') ?? 'node.yaml',
    logLevel: reader.logLevel('info'),
    port: reader.port('FERNLAB_PORT', 8080),
    ...(site === undefined ? {} : { site }),
    ...(brokerUrl === undefined ? {} : { brokerUrl }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(healthEveryMs === undefined ? {} : { healthEveryMs }),
    ...(leastFreeBytes === undefined ? {} : { leastFreeBytes }),
  }
  reader.finish()
  return config
}
