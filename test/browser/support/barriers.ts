import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

export interface Barrier {
  /** Name of the rule. */
  readonly id: string
  /** The place that breaks it. */
  readonly html: string
}

/** What keeps somebody out of the page as it is now; frames of another origin are somebody else's. */
export async function barriersOn(page: Page): Promise<Barrier[]> {
  // Without frames there is nothing to gather in a page of its own, which takes longer than the looking.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(page.frames().length === 1)
    .options({ resultTypes: ['violations'] })
    .analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => ({ id, html })))
}
