/** Models of instruments that a file describes: those that come with Fernlab, by name, and a lab builder's own beside node.yaml. */
import { access, readdir, readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ParameterSpec } from '@fernlab/shared/capabilities/signals'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { parameterSchema } from '@fernlab/shared/protocol/parameters'
import * as z from 'zod'
import type { DriverContext } from '../driver.ts'

/** Reads a description; with issues there is none. */
export type ParseDescription<D> = (
  text: string,
  options: { readonly file: string },
) => { description?: D; issues: Issue[] }

/** The key `model` of a driver whose instruments are described. */
export const modelSchema = z
  .string()
  .regex(/^([a-z0-9][a-z0-9-]*|\.\/[\w./-]+\.yaml)$/, 'must be a model name, or ./file.yaml')

/** The key `settings` of a driver whose instruments are described. */
export const settingsSchema = z
  .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
  .default({})
  .describe("What the model's description lets one choose.")

/** Reads the description of a driver's model; throws `description-missing` or `description-wrong` with issues. */
export async function loadDescription<D>(
  driver: string,
  model: string,
  context: Pick<DriverContext, 'name' | 'configFolder'>,
  parse: ParseDescription<D>,
): Promise<D> {
  const isOwn = model.startsWith('./')
  const file = isOwn
    ? resolve(context.configFolder, model)
    : resolve(await driverFolder(driver, 'models'), `${model}.yaml`)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabError({
      code: 'description-missing',
      kind: 'configuration',
      message: `${context.name}: there is no description of the model ${model}${isOwn ? ` (${file})` : ''}`,
      issues: [{ path: 'model', message: `no description of ${model}` }],
      cause,
    })
  })
  const shown = isOwn ? model : `${model}.yaml`
  const { description, issues } = parse(text, { file: shown })
  if (description !== undefined) return description
  throw new LabError({
    code: 'description-wrong',
    kind: 'configuration',
    message: `${context.name}: the description ${shown} is wrong in ${issues.length} ${issues.length === 1 ? 'place' : 'places'}`,
    issues,
  })
}

/** A driver's config for editors: each model that comes with it by name, with its settings; and files of one's own. */
export async function describedEditorSchema<D extends { readonly title: string; readonly settings: Settings }>(
  driver: string,
  config: z.ZodObject,
  parse: ParseDescription<D>,
): Promise<z.ZodType> {
  const { model, settings } = config.shape
  const about = (schema: unknown) => (schema as z.ZodType).description ?? ''
  const files = (await readdir(await driverFolder(driver, 'models'))).sort()
  const known = await Promise.all(
    files.map(async (file) => {
      const name = basename(file, '.yaml')
      const description = await loadDescription(driver, name, { name: driver, configFolder: '' }, parse)
      return config.extend({
        model: z.literal(name).describe(description.title),
        settings: settingsOf(description.settings).describe(about(settings)),
      })
    }),
  )
  const own = z
    .string()
    .regex(/^\.\/[\w./-]+\.yaml$/)
    .describe(about(model))
  return z.union([...known, config.extend({ model: own })])
}

type Settings = Readonly<Record<string, ParameterSpec>>

/** The settings of one model, as JSON Schema says what a parameter may be. */
function settingsOf(settings: Settings): z.ZodType {
  const { $schema: _, required, ...schema } = parameterSchema({ parameters: settings })
  const mapping = z.unknown().meta({ ...schema, required })
  return (required as string[]).length > 0 ? mapping : mapping.exactOptional()
}

/** Where a driver's files are: beside its code in the sources and in the bundle, two folders up from it once compiled. */
export async function driverFolder(driver: string, name: string): Promise<string> {
  for (const beside of [`../${driver}/${name}/`, `./${driver}/${name}/`]) {
    const folder = fileURLToPath(new URL(beside, import.meta.url))
    if (await isThere(folder)) return folder
  }
  return fileURLToPath(new URL(`../../../drivers/${driver}/${name}/`, import.meta.url))
}

async function isThere(folder: string): Promise<boolean> {
  return await access(folder).then(
    () => true,
    () => false,
  )
}
