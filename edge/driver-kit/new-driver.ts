/** What a driver's folder begins with: a whole driver of an oven, emulated and real, in the language that is asked for. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export const driverLanguages = ['typescript', 'python', 'c'] as const
export type DriverLanguage = (typeof driverLanguages)[number]

export interface NewDriver {
  readonly name: string
  /** Its files by relative path. */
  readonly files: Readonly<Record<string, string>>
  /** What to type once they are written. */
  readonly next: string
}

/** Stands in the files where the driver's name is to be. */
const PLACEHOLDER = 'new-driver'

/** The files of a new driver that is called as its folder; writes nothing. Throws `bad-argument` for a folder that is no name. */
export async function newDriver(folder: string, language: DriverLanguage): Promise<NewDriver> {
  const name = nameOf(folder, 'driver')
  const build = language === 'c' ? `make -C ${folder} && ` : ''
  return { name, files: await filesOf(language, name), next: `${build}fernlab driver test ${folder}` }
}

/** The files of one of the folders in `new`, for something of that name. */
export async function filesOf(template: string, name: string): Promise<Readonly<Record<string, string>>> {
  const templates = join(await templateFolder(), template)
  const paths = (await readdir(templates)).sort()
  const files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(templates, path), 'utf8')
      return [path, text.replaceAll(PLACEHOLDER, name)] as const
    }),
  )
  return Object.fromEntries(files)
}

/** What is called as its folder; throws `bad-argument` for one that is no name. */
export function nameOf(folder: string, what: 'driver' | 'service'): string {
  const name = basename(resolve(folder))
  const read = nameSchema.safeParse(name)
  if (read.success) return name
  throw new LabError({
    code: 'bad-argument',
    kind: 'caller',
    message: `a ${what} can not be called "${name}": ${read.error.issues[0]?.message}`,
  })
}

/** Beside this file in the sources, two folders up from it once compiled. */
async function templateFolder(): Promise<string> {
  for (const place of ['./new/', '../../driver-kit/new/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url))
    const found = await stat(folder).catch(() => undefined)
    if (found?.isDirectory()) return folder
  }
  throw new LabError({ code: 'templates-missing', kind: 'bug', message: 'the files of new drivers are not there' })
}
