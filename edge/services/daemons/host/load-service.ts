/** A lab builder's service as what its module exports. */
import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { asLabError, formatIssues, LabError } from '@fernlab/shared/primitives/lab-error'
import { type ServiceContract, serviceContractSchema } from '@fernlab/shared/rpc/contract/service-contract'
import { loadOwn } from '../../../drivers/own/load-own.ts'

/** Makes the object whose members are the actions and signals of the contract. */
export type MakeService = (context: ServiceContext) => object | Promise<object>

/** What a service is given when it is made. */
export interface ServiceContext {
  readonly name: string
  /** From node.yaml. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A folder of its own, in which it may keep what it likes. */
  readonly folder: string
  /** Tells clients who follow the event. */
  emit(event: string, value: unknown): void
  /** Called when the object is not needed any more, the last one that was given first. */
  onClose(listener: () => unknown): void
}

export interface LoadedService {
  readonly contract: ServiceContract
  readonly make: MakeService
  /** What its objects have, where that is known before one is made. */
  readonly prototype: object | undefined
}

const CODE = 'own-service-wrong'

/** Loads the file; rejects with a configuration-kind LabError that says where it is wrong. */
export async function loadService(file: string, surface: string): Promise<LoadedService> {
  const configFolder = process.cwd()
  const named = dirname(resolve(configFolder, file))
  const root = await realpath(named).catch((cause: unknown) => {
    throw wrong(`${file}: there is no folder ${named}`, cause)
  })
  let loaded: Readonly<Record<string, unknown>>
  try {
    loaded = await loadOwn({
      root,
      named,
      entry: basename(file),
      configFolder,
      surface: { name: '@fernlab/service', address: surface },
      code: CODE,
    })
  } catch (thrown) {
    if (thrown instanceof LabError) throw thrown
    throw wrong(
      `${file} can not be loaded: ${thrown instanceof Error ? thrown.message : asLabError(thrown).message}`,
      thrown,
    )
  }
  const { contract, default: made } = loaded
  const checked = serviceContractSchema.safeParse(contract)
  if (contract === undefined) throw wrong(`${file} exports no contract: export const contract = defineService({ … })`)
  if (!checked.success) {
    const issues = checked.error.issues.map(({ path, message }) => ({ path: ['contract', ...path].join('.'), message }))
    throw wrong(`${file}: the contract is wrong: ${formatIssues(issues)}`)
  }
  if (typeof made !== 'function') throw wrong(`${file} exports no class: export default class { … }`)
  const known = checked.data as ServiceContract
  const both = Object.keys(known.actions).find((action) => Object.hasOwn(known.signals, action))
  if (both !== undefined) throw wrong(`${file}: ${both} is both an action and a signal of the contract`)
  const isClass = /^class\b/.test(Function.prototype.toString.call(made))
  return isClass
    ? {
        contract: known,
        make: (context) => new (made as new (context: ServiceContext) => object)(context),
        prototype: (made as { prototype: object }).prototype,
      }
    : { contract: known, make: made as MakeService, prototype: undefined }
}

/** Throws where the object, or its class, lacks an action. */
export function requireActions(contract: ServiceContract, object: object, file: string): void {
  const missing = Object.keys(contract.actions).filter(
    (action) => typeof (object as Record<string, unknown>)[action] !== 'function',
  )
  if (missing.length > 0)
    throw wrong(`${file}: the contract has ${missing.join(', ')}, and the class has no such method`)
}

export const wrong = (message: string, cause?: unknown): LabError =>
  new LabError({ code: CODE, kind: 'configuration', message, ...(cause === undefined ? {} : { cause }) })
