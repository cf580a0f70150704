/** The driver `simulated`: quantities that only exist in a model. */
import { checkSchema, pathText } from '@fernlab/shared/contracts/yaml-file'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import type { Driver } from '../driver.ts'
import type { SimulatedModel } from './model.ts'
import { constantModel } from './models/constant.ts'
import { hodgkinHuxleyModel } from './models/hodgkin-huxley.ts'
import { rampSourceModel } from './models/ramp-source.ts'

export const builtInModels: readonly SimulatedModel[] = [hodgkinHuxleyModel, constantModel, rampSourceModel]

/** The driver for node.yaml's `driver: simulated`, with these models. */
export function createSimulatedDriver(models: readonly SimulatedModel[] = builtInModels): Driver {
  const configSchema = z.strictObject({
    model: z.enum(models.map((model) => model.name)),
    settings: z.record(z.string(), z.unknown()).default({}),
  })
  const check = (config: unknown) => {
    const { value, findings } = checkSchema(config, configSchema)
    const model = models.find((candidate) => candidate.name === value?.model)
    if (value === undefined || model === undefined) return { issues: asIssues(findings) }
    const settings = checkSchema(value.settings, model.settingsSchema, ['settings'])
    return { model, settings: settings.value, issues: asIssues(settings.findings) }
  }
  return {
    kind: 'simulated',
    editorSchema: async () =>
      z.union(
        models.map(({ name, title, settingsSchema }) =>
          z.strictObject({
            model: z.literal(name).describe(title),
            settings: settingsSchema.prefault({}).describe('What can be chosen of the model.'),
          }),
        ),
      ),
    check: (config) => check(config).issues,
    create: async (config, context) => {
      const { model, settings, issues } = check(config)
      if (model === undefined || issues.length > 0) {
        throw configWrong(context.name, issues)
      }
      const instrument = model.create(settings, context)
      return Object.assign(instrument, { identify: async () => `Fernlab,simulated,${model.name}` })
    },
  }
}

const asIssues = (findings: readonly { path: readonly (string | number)[]; message: string }[]): Issue[] =>
  findings.map(({ path, message }) => ({ path: pathText(path), message }))
