import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'

/** The newest version of each lab, at hand without asking the database. */
export interface KnownLabs {
  /** What is at hand; undefined while it is not known. */
  peek(id: string): CatalogueLab | undefined
  lab(id: string): Promise<CatalogueLab | undefined>
  close(): void
}

/** Keeps the catalogue's labs at hand; a pushed lab is looked up anew. */
export async function openKnownLabs(catalogue: Pick<Catalogue, 'lab' | 'list' | 'onChange'>): Promise<KnownLabs> {
  const known = new Map<string, CatalogueLab>()
  const changes = new Map<string, number>()
  const lab = async (id: string) => {
    const change = changes.get(id)
    const found = await catalogue.lab(id)
    if (found !== undefined && changes.get(id) === change) known.set(id, found)
    return found
  }
  const stop = catalogue.onChange((id) => {
    changes.set(id, (changes.get(id) ?? 0) + 1)
    known.delete(id)
    // A failing look-up is repeated by whoever needs the lab next.
    lab(id).catch(() => undefined)
  })
  for (const found of await catalogue.list()) known.set(found.id, found)
  return { peek: (id) => known.get(id), lab, close: stop }
}
