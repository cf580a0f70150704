import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { settingWrong } from './settings-reader.ts'

/** The PEM that `FERNLAB_TLS_CA` names; rejects with an error that names the setting when the file holds none. */
export async function readAuthority(caFile: string | undefined): Promise<string | undefined> {
  if (caFile === undefined) return undefined
  let pem: string
  try {
    pem = await readFile(caFile, 'utf8')
  } catch (cause) {
    throw settingWrong('FERNLAB_TLS_CA', `is ${caFile}, which can't be read; it may be a readable PEM file`, cause)
  }
  try {
    new X509Certificate(pem)
  } catch (cause) {
    const message = `is ${caFile}, which holds no certificate; it may be a PEM file with one`
    throw settingWrong('FERNLAB_TLS_CA', message, cause)
  }
  return pem
}
