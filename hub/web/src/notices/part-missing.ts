/** A part of the page that is fetched when it is needed did not come: the hub is out of reach, or has other parts now. */
export class PartMissing extends Error {
  constructor(cause: unknown) {
    super('a part of the page did not come', { cause })
    this.name = 'PartMissing'
  }
}

/** What browsers, and the page's own loader, say of such a part. */
const saidOf = /dynamically imported module|module script failed|^Unable to preload CSS/

export const isPartMissing = (error: unknown): boolean =>
  error instanceof PartMissing || (error instanceof Error && saidOf.test(error.message))
