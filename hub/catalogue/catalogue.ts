/** The labs: loaded from a folder or pushed, every version kept. */
import type { LabFile } from '@fernlab/shared/contracts/lab-file'
import type { Protocol } from '@fernlab/shared/protocol/protocol'

export interface CatalogueProtocol {
  readonly definition: Protocol
  readonly digest: string
}

/** One version of a lab, without the bytes of its files. */
export interface CatalogueLab {
  readonly id: string
  readonly version: number
  readonly digest: string
  readonly lab: LabFile
  readonly readme: Readonly<Record<string, string>>
  readonly protocols: Readonly<Record<string, CatalogueProtocol>>
  /** Paths of the pictures and other files. */
  readonly files: readonly string[]
  readonly removed: boolean
}

export type LabFiles = Readonly<Record<string, string | Uint8Array>>

export interface PushedLab {
  readonly id: string
  readonly version: number
  readonly changed: boolean
}

export interface Catalogue {
  /** The latest version; undefined for an unknown or removed lab. */
  lab(id: string): Promise<CatalogueLab | undefined>
  /** A certain version, also of a removed lab. */
  version(id: string, version: number): Promise<CatalogueLab | undefined>
  protocol(lab: string, version: number, name: string): Promise<CatalogueProtocol | undefined>
  /** Every lab that is not removed, by id. */
  list(): Promise<readonly CatalogueLab[]>
  /** A file of the latest version. */
  file(lab: string, path: string): Promise<{ body: Uint8Array; digest: string } | undefined>
  /** Makes a new version when the files differ from the latest; throws `lab-invalid` with issues and changes nothing. */
  push(files: LabFiles, options: { by?: string; id?: string }): Promise<PushedLab>
  /** Takes the lab out of the catalogue; its versions stay readable for its runs. False when unknown. */
  remove(id: string, by?: string): Promise<boolean>
  /** Pushes each folder below `path` that holds a lab.yaml. */
  loadFolder(path: string): Promise<readonly PushedLab[]>
  /** Loads the folder now and again whenever something in it changes; the returned function stops. */
  watchFolder(path: string): Promise<() => void>
  onChange(listener: (lab: string) => void): () => void
}
