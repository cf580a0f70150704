/** What a PyroLab file becomes: daemons and services of node.yaml, a small Python file for each service, and what is lost. */
import type { PyrolabFile } from './pyrolab-file.ts'

/** One thing of the old file that is not in the new one, or is there otherwise. */
export interface NotCarried {
  /** Where in the old file: `daemons.lab.host`. */
  readonly path: string
  readonly why: string
}

export interface Imported {
  /** Entries of node.yaml's `daemons`. */
  readonly daemons: Readonly<Record<string, { readonly autostart: boolean }>>
  /** Entries of node.yaml's `services.own`. */
  readonly services: Readonly<Record<string, ImportedService>>
  /** Python files by path beside node.yaml. */
  readonly files: Readonly<Record<string, string>>
  readonly notCarried: readonly NotCarried[]
}

export interface ImportedService {
  readonly file: string
  readonly daemon: string
  readonly instances: 'single' | 'session' | 'percall'
  readonly description?: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly tags: readonly string[]
  readonly register?: false
}

/** What PyroLab takes where its file says nothing. */
const DEFAULT_MODE = 'session'
const FOLDER = 'pyrolab'
const LONGEST_NAME = 60

/** Names that fit are kept; others are changed, and said to be. */
export function importPyrolab(config: PyrolabFile): Imported {
  const notCarried: NotCarried[] = []
  const lose = (path: string, why: string) => void notCarried.push({ path, why })
  const daemonNames = renamed(Object.keys(config.daemons ?? {}), 'daemons', lose)
  const serviceNames = renamed(Object.keys(config.services ?? {}), 'services', lose)
  const launched = new Set(config.autolaunch?.daemons ?? [])

  for (const name of Object.keys(config.nameservers ?? {})) {
    lose(`nameservers.${name}`, "the hub is the directory; services without a hub are in their node's own")
  }
  const daemons: Record<string, { autostart: boolean }> = {}
  for (const [old, settings] of Object.entries(config.daemons ?? {})) {
    daemons[nameOf(daemonNames, old)] = { autostart: launched.has(old) }
    for (const [key, value] of Object.entries(settings ?? {})) {
      const why = lostOfDaemon(key, value)
      if (why !== undefined) lose(`daemons.${old}.${key}`, why)
    }
  }
  const services: Record<string, ImportedService> = {}
  const files: Record<string, string> = {}
  for (const [old, service] of Object.entries(config.services ?? {})) {
    const name = nameOf(serviceNames, old)
    const file = `${FOLDER}/${name.replaceAll(/[^a-z0-9_]/gi, '_')}.py`
    files[file] = shim(old, service.module, service.classname)
    for (const key of Object.keys(service)) {
      if (!carried.includes(key)) lose(`services.${old}.${key}`, 'there is nothing like it')
    }
    services[name] = {
      file: `./${file}`,
      daemon: nameOf(daemonNames, service.daemon),
      instances: service.instancemode ?? DEFAULT_MODE,
      ...(typeof service.description === 'string' ? { description: service.description } : {}),
      ...(service.parameters == null ? {} : { parameters: service.parameters }),
      tags: ['pyrolab'],
      ...(service.nameservers?.length === 0 ? { register: false as const } : {}),
    }
  }
  return { daemons, services, files, notCarried }
}

const carried = ['module', 'classname', 'parameters', 'description', 'instancemode', 'daemon', 'nameservers']

function lostOfDaemon(key: string, value: unknown): string | undefined {
  if (key === 'classname') {
    return value === 'LockableDaemon' || value === 'Daemon'
      ? undefined
      : `${String(value)} is a class of your own: what it adds has to become a service`
  }
  if (key === 'module' || key === 'nameservers') return undefined
  if (['host', 'port', 'nathost', 'natport', 'unixsocket'].includes(key)) {
    return 'a node has one address for all its services: services.listen, and address there behind a router'
  }
  if (key === 'servertype') return 'calls of a service in Python are done one at a time, those of others beside them'
  return 'there is nothing like it'
}

/** The old name to the new one; two that would be one get a number. */
function renamed(
  names: readonly string[],
  group: string,
  lose: (path: string, why: string) => void,
): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  const map = new Map<string, string>()
  for (const name of names) {
    const plain = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]+/g, '-')
      .replaceAll(/^[^a-z]+|-+$/g, '')
      .slice(0, LONGEST_NAME)
    const base = plain === '' || plain === 'node' ? `${group.slice(0, -1)}-${plain}`.replace(/-$/, '') : plain
    let fitting = base
    for (let count = 2; taken.has(fitting); count++) fitting = `${base}-${count}`
    taken.add(fitting)
    map.set(name, fitting)
    if (fitting !== name) lose(`${group}.${name}`, `it is called ${fitting} now`)
  }
  return map
}

const nameOf = (names: ReadonlyMap<string, string>, old: string): string => names.get(old) ?? old

/** A class that connects with the parameters when it is made, as PyroLab does before it offers a service. */
const shim = (
  name: string,
  module: string,
  classname: string,
): string => `"""What PyroLab offered as ${name.replaceAll(/["\\\n]/g, ' ')}."""

from ${module} import ${classname}


class Service(${classname}):
    kind = "${module}.${classname}"

    def __init__(self, **parameters):
        super().__init__()
        if parameters:
            self.connect(**parameters)
`
