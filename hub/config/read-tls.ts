import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { settingWrong } from '@fernlab/shared/programs/settings-reader'
import type { HubConfig } from './config.ts'

/** Certificate and key as PEM text; rejects with an error that names the setting when they can't serve. */
export async function readTls({ tls }: Pick<HubConfig, 'tls'>): Promise<{ cert: string; key: string } | undefined> {
  if (tls === undefined) return undefined
  const cert = await readPem('FERNLAB_TLS_CERT', tls.certFile)
  const key = await readPem('FERNLAB_TLS_KEY', tls.keyFile)
  check({ cert }, 'FERNLAB_TLS_CERT', `is ${tls.certFile}, which holds no certificate; it may be a PEM file with one`)
  check({ key }, 'FERNLAB_TLS_KEY', `is ${tls.keyFile}, which holds no key; it may be a PEM file with one`)
  check({ cert, key }, 'FERNLAB_TLS_KEY', `is ${tls.keyFile}, which is not the key of the certificate ${tls.certFile}`)
  return { cert, key }
}

async function readPem(variable: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw settingWrong(variable, `is ${file}, which can't be read; it may be a readable PEM file`, cause)
  }
}

function check(parts: { cert?: string; key?: string }, variable: string, message: string): void {
  try {
    createSecureContext(parts)
  } catch (cause) {
    throw settingWrong(variable, message, cause)
  }
}
