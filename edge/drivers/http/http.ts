/** The driver `http`: an instrument with a REST interface, as its config describes it; see README.md. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { actionSpecs } from '../described/specs.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { type HttpConfig, httpConfigSchema, httpFindings, httpSpecs } from './config.ts'
import { createHttpClient } from './http-client.ts'
import { HttpInstrument } from './http-instrument.ts'

/** The driver for node.yaml's `driver: http`. */
export function createHttpDriver(): Driver {
  return driverOf({ kind: 'http', schema: httpConfigSchema, findings: httpFindings, create })
}

async function create(config: HttpConfig, { name, clock, log, configFolder }: DriverContext): Promise<Instrument> {
  const { auth, headers, ca, timeoutMs } = config
  const secretIn = async (file: string) => (await fileOf(name, resolve(configFolder, file), 'auth.secretFile')).trim()
  const client = createHttpClient({
    instrument: name,
    base: new URL(config.url.endsWith('/') ? config.url : `${config.url}/`),
    headers,
    secrets: async () => {
      if (auth === undefined) return {}
      const secret = await secretIn(auth.secretFile)
      switch (auth.kind) {
        case 'bearer':
          return { authorization: `Bearer ${secret}` }
        case 'basic':
          return { authorization: `Basic ${Buffer.from(`${auth.username}:${secret}`).toString('base64')}` }
        case 'header':
          return { [auth.name]: secret }
      }
    },
    ca: async () => (ca === undefined ? undefined : await fileOf(name, resolve(configFolder, ca), 'ca')),
    timeoutMs,
    clock,
  })
  const spec = { name, driver: 'http', signals: httpSpecs(config), actions: actionSpecs(config.actions) }
  return new HttpInstrument({ spec, config, client, clock, log })
}

async function fileOf(instrument: string, file: string, setting: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    const message = `${instrument}: ${file}, which ${setting} names, cannot be read`
    throw new LabError({ code: 'secret-missing', kind: 'configuration', message, cause })
  })
}
