/** A configuration file of PyroLab as data. No module of it is loaded, and no tag of it runs anything. */
import { readYaml } from '@fernlab/shared/contracts/yaml-file'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'

const MODULE = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const CLASS = /^[A-Za-z_][A-Za-z0-9_]*$/
// It becomes a line of a Python file.
const module = z.string().max(300).regex(MODULE, "must be a module's dotted name")
const classname = z.string().max(100).regex(CLASS, "must be a class's name")

const daemonSchema = z.looseObject({
  classname: z.string().optional(),
})
const serviceSchema = z.looseObject({
  module,
  classname,
  parameters: z.record(z.string().max(100), z.unknown()).nullish(),
  description: z.string().max(2000).nullish(),
  instancemode: z.enum(['session', 'single', 'percall']).nullish(),
  daemon: z.string(),
  nameservers: z.array(z.string()).nullish(),
})
const pyrolabSchema = z.looseObject({
  nameservers: z.record(z.string(), z.looseObject({})).nullish(),
  daemons: z.record(z.string(), daemonSchema.nullable()).nullish(),
  services: z.record(z.string(), serviceSchema).nullish(),
  autolaunch: z
    .looseObject({ nameservers: z.array(z.string()).nullish(), daemons: z.array(z.string()).nullish() })
    .nullish(),
})
export type PyrolabFile = z.infer<typeof pyrolabSchema>

/** Reads it; with issues there is nothing to import. */
export function readPyrolabFile(text: string, file: string): { config?: PyrolabFile; issues: Issue[] } {
  const { yaml, issues } = readYaml(text, { file })
  if (yaml === undefined) return { issues }
  const read = pyrolabSchema.safeParse(yaml.data)
  if (!read.success) {
    return { issues: read.error.issues.map(({ path, message }) => yaml.place({ path: path as string[], message })) }
  }
  const { daemons, services } = read.data
  const homeless = Object.entries(services ?? {}).filter(([, { daemon }]) => !Object.hasOwn(daemons ?? {}, daemon))
  if (homeless.length === 0) return { config: read.data, issues: [] }
  return {
    issues: homeless.map(([name, { daemon }]) =>
      yaml.place({ path: ['services', name, 'daemon'], message: `there is no daemon ${daemon}` }),
    ),
  }
}
