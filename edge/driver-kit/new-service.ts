/** What a service's folder begins with: a whole one that runs as it is, in the language that is asked for. */
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import { filesOf, nameOf } from './new-driver.ts'

export const serviceLanguages = ['typescript', 'python'] as const
export type ServiceLanguage = (typeof serviceLanguages)[number]

export interface MakeService {
  readonly folder: string
  readonly language: ServiceLanguage
  /** JSON instead of text. */
  readonly json: boolean
  out(line: string): void
  /** For what is no result. */
  err(line: string): void
}

/** Writes the folder of a new service, called as it; throws `bad-argument` for a folder that is no name, `folder-there` for one that is. */
export async function makeService({ folder, language, json, out, err }: MakeService): Promise<void> {
  const name = nameOf(folder, 'service')
  const files = await filesOf(`service-${language}`, name)
  await writeNewFolder(folder, files)
  const paths = Object.keys(files)
  if (json) return out(JSON.stringify({ folder, service: name, language, files: paths }, null, 2))
  for (const path of paths) out(`${folder}/${path}`)
  const file = language === 'python' ? 'service.py' : 'service.ts'
  err('Change these. In node.yaml, with the folder beside it, and then "fernlab daemon reload":')
  err(`daemons:\n  ${name}: {}\nservices:\n  own:\n    ${name}: { file: ./${name}/${file}, daemon: ${name} }`)
}
