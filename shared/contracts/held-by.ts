/** How a refusal says who has a bench or a service. Pure. */

/** As much as whoever is told may know. */
export interface Holder {
  readonly since?: string | undefined
  /** It is whoever is told. */
  readonly mine?: boolean | undefined
  /** The holder's name. */
  readonly by?: string | undefined
  readonly reason?: string | undefined
}

/** The words of an error, `said` who has it and `next` what to do, and the same for programs: of what is not told, nothing. */
export function heldBy({ since, mine, by, reason }: Holder, own = 'you have it in another program or page,') {
  const who = mine === true ? own : `${by ?? 'somebody else'} has it`
  const why = reason === undefined || reason === '' ? '' : ` (${reason})`
  return {
    said: `${who}${since === undefined ? '' : ` since ${since}`}${why}`,
    next: mine === true ? 'give it back there' : 'wait until it is given back',
    details: {
      ...(since === undefined ? {} : { since }),
      ...(mine === true ? { mine } : {}),
      ...(by === undefined ? {} : { by }),
      ...(why === '' || reason === undefined ? {} : { reason }),
    },
  }
}
